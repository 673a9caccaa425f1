"""OBIS codes: the six-part names of metered quantities (IEC 62056-6-1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, Self

from meterway.base.errors import ConfigError, DecodeError

__all__ = ["Obis"]

_TEXT = re.compile(
    r"(?:(?P<a>\d{1,3})-)?(?:(?P<b>\d{1,3}):)?(?P<c>\d{1,3})\.(?P<d>\d{1,3})(?:\.(?P<e>\d{1,3}))?(?:[*.&](?P<f>\d{1,3}))?"
)
_DOTTED = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")


class Obis(NamedTuple):
    """One OBIS code; groups a (medium) to f (historical value), each 0 to 255."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int = 255

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Six octets to a code; DecodeError for any other count."""
        if len(octets) != 6:
            raise DecodeError(f"an OBIS code has 6 octets, not {len(octets)}", 0, "obis")
        return cls(*octets)

    @classmethod
    def parse(cls, text: str, *, a: int = 1, b: int = 0) -> Self:
        """Read ``1-0:1.8.0*255``, ``1.0.1.8.0.255`` or ``1.8.0``; left-out groups take a, b, e=0, f=255.

        Raises ConfigError naming the text.
        """
        dotted = _DOTTED.fullmatch(text.strip())
        if dotted:
            groups = [int(part) for part in dotted.groups()]
        else:
            match = _TEXT.fullmatch(text.strip())
            if match is None:
                raise ConfigError(f"{text!r} is not an OBIS code such as 1-0:1.8.0*255 or 1.8.0")
            defaults = {"a": a, "b": b, "e": 0, "f": 255}
            groups = [int(match[key]) if match[key] is not None else defaults[key] for key in "abcdef"]
        if max(groups) > 255:
            raise ConfigError(f"{text!r}: every group of an OBIS code is at most 255")
        return cls(*groups)

    def encode(self) -> bytes:
        """The six octets."""
        return bytes(self)

    def __str__(self) -> str:
        """The norm's form, ``1-0:1.8.0*255``."""
        return _text(self)

    @property
    def short(self) -> str:
        """The form of displays and P1 telegrams, ``1-0:1.8.0``, without group f."""
        return f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}"


@lru_cache(maxsize=4096)
def _text(code: tuple[int, ...]) -> str:
    return "{}-{}:{}.{}.{}*{}".format(*code)
