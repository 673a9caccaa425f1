"""What a telegram that was opened shows of its sender: how it was protected, its counter, whether it listens. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from meterway.interfaces.mbus.meters import Profile
from meterway.stacks.mbus.telegram import Telegram
from meterway.stacks.mbus.wireless.frames import RadioFrame

__all__ = ["TriedKeys", "counter_of", "listens", "protection_of"]


class TriedKeys(list[bytes]):
    """Keys that remember which of them was tried last: when that ends well, it is the one."""

    last: bytes = b""

    def __iter__(self) -> Iterator[bytes]:
        for key in super().__iter__():
            self.last = key
            yield key


def protection_of(telegram: Telegram) -> Profile:
    """The protection a telegram had, as far as it was verified."""
    protection, link = telegram.protection, telegram.link_protection
    if protection.state == "verified":
        return Profile.D if protection.mode in (9, 10) else Profile.B
    if protection.state == "decrypted" or link.state == "decrypted":
        return Profile.A
    return Profile.PLAIN


def counter_of(telegram: Telegram) -> int | None:
    """Its message counter; None if it has none."""
    if telegram.tpl is not None and telegram.tpl.counter is not None:
        return telegram.tpl.counter
    return telegram.afl.counter if telegram.afl is not None else None


def listens(telegram: Telegram) -> bool:
    """Whether the sender of a radio telegram listens after it."""
    if not isinstance(telegram.frame, RadioFrame):
        return False
    if telegram.ell is not None:
        return telegram.ell.bidirectional and telegram.ell.accessible
    return telegram.tpl is not None and telegram.tpl.bidirectional and telegram.tpl.accessible
