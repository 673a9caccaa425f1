"""The envelopes of protected APDUs (IEC 62056-5-3): service-specific, general, and the gateway prefix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from meterway.base.octets import Reader
from meterway.stacks.dlms.xdlms.parts import encode_octets, read_octets

__all__ = [
    "AGREED_KEY",
    "DEDICATED_TAGS",
    "GLOBAL_TAGS",
    "IDENTIFIED_KEY",
    "PLAIN_TAGS",
    "WRAPPED_KEY",
    "CipheredApdu",
    "GatewayApdu",
    "GeneralCiphered",
    "GeneralCiphering",
    "protected_octets",
]

GLOBAL_TAGS: Final = {
    0x01: 0x21,
    0x08: 0x28,
    0x0E: 0x2E,
    0xC0: 0xC8,
    0xC1: 0xC9,
    0xC2: 0xCA,
    0xC3: 0xCB,
    0xC4: 0xCC,
    0xC5: 0xCD,
    0xC7: 0xCF,
}
DEDICATED_TAGS: Final = {
    0x01: 0x41,
    0x08: 0x48,
    0x0E: 0x4E,
    0xC0: 0xD0,
    0xC1: 0xD1,
    0xC2: 0xD2,
    0xC3: 0xD3,
    0xC4: 0xD4,
    0xC5: 0xD5,
    0xC7: 0xD7,
}
IDENTIFIED_KEY, WRAPPED_KEY, AGREED_KEY = 0, 1, 2
_DEDICATED: Final = frozenset(DEDICATED_TAGS.values())
PLAIN_TAGS: Final = {wrapped: plain for table in (GLOBAL_TAGS, DEDICATED_TAGS) for plain, wrapped in table.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CipheredApdu:
    """Service-specific ciphering: the tag says which service is inside and which key protects it.

    ``protected`` is security control, invocation counter and the protected octets.
    """

    tag: int
    protected: bytes

    @classmethod
    def decode(cls, tag: int, reader: Reader) -> Self:
        """From after the tag."""
        return cls(tag=tag, protected=read_octets(reader, "protected octets"))

    def encode(self) -> bytes:
        """The whole APDU."""
        return bytes((self.tag,)) + encode_octets(self.protected)

    @property
    def is_dedicated(self) -> bool:
        """Whether the dedicated key protects it."""
        return self.tag in _DEDICATED


def protected_octets(apdu: bytes) -> bytes:
    """What a whole service-specific envelope holds, as ``CipheredApdu`` would say; DecodeError if it is not whole."""
    size = len(apdu)
    if size > 1 and apdu[1] < 0x80 and apdu[1] == size - 2:
        return apdu[2:]
    if size > 3 and apdu[1] == 0x82 and apdu[2] << 8 | apdu[3] == size - 4:
        return apdu[4:]
    reader = Reader(apdu)
    envelope = CipheredApdu.decode(reader.u8("APDU tag"), reader)
    reader.finish("CipheredApdu")
    return envelope.protected


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralCiphered:
    """general-glo-ciphering (0xDB) or general-ded-ciphering (0xDC): any APDU, with the sender's system title."""

    tag: int
    system_title: bytes
    protected: bytes

    @classmethod
    def decode(cls, tag: int, reader: Reader) -> Self:
        """From after the tag."""
        title = read_octets(reader, "system title")
        return cls(tag=tag, system_title=title, protected=read_octets(reader, "protected octets"))

    def encode(self) -> bytes:
        """The whole APDU."""
        return bytes((self.tag,)) + encode_octets(self.system_title) + encode_octets(self.protected)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralCiphering:
    """general-ciphering (0xDD): any APDU with both parties named and the key identified, wrapped or agreed.

    ``key_info`` is the encoded choice after its presence flag: 0 identified, 1 wrapped, 2 agreed key.
    """

    TAG: ClassVar[bytes] = b"\xdd"
    transaction_id: bytes
    originator: bytes
    recipient: bytes
    date_time: bytes
    other_information: bytes
    key_info: bytes | None
    protected: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        names = ("transaction id", "originator", "recipient", "date-time", "other information")
        transaction, originator, recipient, date_time, other = (read_octets(reader, name) for name in names)
        return cls(
            transaction_id=transaction,
            originator=originator,
            recipient=recipient,
            date_time=date_time,
            other_information=other,
            key_info=_read_key_info(reader),
            protected=read_octets(reader, "protected octets"),
        )

    @property
    def header(self) -> bytes:
        """The fields before the key info, encoded; they are part of what is authenticated."""
        head = (self.transaction_id, self.originator, self.recipient, self.date_time, self.other_information)
        return b"".join(map(encode_octets, head))

    @property
    def wrapped_key(self) -> bytes | None:
        """The key for this APDU, wrapped under a key-encrypting key; None if it was identified or agreed."""
        if self.key_info is None or self.key_info[0] != WRAPPED_KEY:
            return None
        return read_octets(Reader(self.key_info, 2), "wrapped key")

    def encode(self) -> bytes:
        """The whole APDU."""
        key_info = b"\x00" if self.key_info is None else b"\x01" + self.key_info
        return self.TAG + self.header + key_info + encode_octets(self.protected)


def _read_key_info(reader: Reader) -> bytes | None:
    if reader.u8("key info") == 0:
        return None
    start = reader.offset
    choice = reader.u8("key info choice")
    if choice == 0:
        reader.u8("key id")
    elif choice == 1:
        reader.u8("key-encrypting key id")
        read_octets(reader, "wrapped key")
    elif choice == 2:
        read_octets(reader, "key parameters")
        read_octets(reader, "key ciphered data")
    else:
        raise reader.fail(f"key info is identified (0), wrapped (1) or agreed (2), not {choice}", back=1)
    return reader.data[start : reader.offset]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayApdu:
    """The gateway prefix: an APDU for (0xE6) or from (0xE7) a device behind a gateway."""

    tag: int
    network_id: int
    address: bytes
    apdu: bytes

    @classmethod
    def decode(cls, tag: int, reader: Reader) -> Self:
        """From after the tag."""
        network, address = reader.u8("network id"), read_octets(reader, "physical device address")
        return cls(tag=tag, network_id=network, address=address, apdu=reader.rest())

    def encode(self) -> bytes:
        """The whole APDU."""
        return bytes((self.tag, self.network_id)) + encode_octets(self.address) + self.apdu
