"""Who may join, as the head end orders it: one write to an object of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self, get_args

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis
from meterway.nnap.device import Concentrator
from meterway.nnap.ledger import Ledger
from meterway.nnap.node import Node, Role
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.security.context import Keys

__all__ = ["ADMISSION", "Admission"]

ADMISSION: Final = Obis(0, 0, 128, 7, 0)
"""Data: written with one ``Admission``; read, how many devices ask to be let in."""
_ROLES: Final[tuple[Role, ...]] = get_args(Role)
_EUI: Final = 8
_KEYS: Final = (0, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Let a device in (``listed``), or take it off the list. ``key`` is for joining; ``guek``, ``gak`` may be empty."""

    eui: bytes
    listed: bool
    serial: str = ""
    title: bytes = b""
    role: Role = "meter"
    key: bytes = b""
    guek: bytes = b""
    gak: bytes = b""

    def __repr__(self) -> str:
        return f"Admission({self.serial}, listed={self.listed})"

    def encode(self) -> bytes:
        """A structure of eight."""
        return axdr.encode(
            axdr.structure(
                axdr.octets(self.eui),
                axdr.boolean(value=self.listed),
                axdr.octets(self.serial.encode()),
                axdr.octets(self.title),
                axdr.enum(_ROLES.index(self.role)),
                axdr.octets(self.key),
                axdr.octets(self.guek),
                axdr.octets(self.gak),
            )
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """From its octets; DecodeError for anything else."""
        value = axdr.decode_all(octets).value
        parts = [part.value for part in value if isinstance(part, Data)] if isinstance(value, tuple) else []
        match parts:
            case [
                bytes(eui), bool(listed), bytes(serial), bytes(title), int(role), bytes(key), bytes(guek), bytes(gak)
            ] if (
                len(eui) == _EUI and len(title) in (0, _EUI) and role < len(_ROLES)
                and len(guek) in _KEYS and len(guek) == len(gak)
            ):  # fmt: skip
                try:
                    name = serial.decode("ascii")
                except UnicodeDecodeError:
                    raise DecodeError("a serial is text", 0, "admission") from None
                return cls(
                    eui=eui, listed=listed, serial=name, title=title, role=_ROLES[role], key=key, guek=guek, gak=gak
                )
        raise DecodeError("an admission is a structure of eight", 0, "admission")

    def carry_out(self, concentrator: Concentrator, ledger: Ledger, now: float) -> None:
        """Change the white list, on the disk when it returns; ConfigError if it cannot be."""
        if not self.listed:
            ledger.drop_node(concentrator.remove(self.eui, now))
            return
        if not self.serial:
            raise ConfigError("a node that is let in has a serial")
        node = Node(
            eui=self.eui,
            serial=self.serial,
            channel=ledger.roll.free_channel(),
            title=self.title,
            role=self.role,
            key=self.key,
            keys=Keys(self.guek, self.gak) if self.guek else None,
        )
        ledger.keep_node(concentrator.enlist(node, now))
