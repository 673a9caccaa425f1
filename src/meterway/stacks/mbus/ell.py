"""The extended link layer of wireless M-Bus (EN 13757-4): access, second address, encryption by AES-CTR.

Types by CI: 8C (I: access), 8D (II: and session), 8E (III: and address), 8F (IV: and both). The type of variable length
(CI 86) is refused by name: no public text gives its fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.ciphers import aes_ctr
from meterway.base.crc import en13757
from meterway.base.errors import DecodeError, LocalProtocolError, SecurityError
from meterway.stacks.mbus.address import Address

__all__ = ["ELL_CIS", "Ell", "decode_ell"]

ELL_CIS: Final = frozenset((0x86, 0x8C, 0x8D, 0x8E, 0x8F))
_VARIABLE: Final = 0x86
_WITH_ADDRESS: Final = (0x8E, 0x8F)
_WITH_SESSION: Final = (0x8D, 0x8F)
_HOPS: Final = 0x12


@dataclass(frozen=True, slots=True, kw_only=True)
class Ell:
    """One extended link layer header.

    ``control`` is the communication control field CC, ``session`` the session number SN (bits 29-31: encryption).
    """

    ci: int
    control: int
    access: int
    address: Address | None = None
    session: int | None = None

    @property
    def bidirectional(self) -> bool:
        """Whether the sender can be answered."""
        return bool(self.control & 0x80)

    @property
    def accessible(self) -> bool:
        """Whether the sender listens after this frame."""
        return bool(self.control & 0x04)

    @property
    def synchronous(self) -> bool:
        """Whether the frame was sent at the announced time."""
        return bool(self.control & 0x20)

    @property
    def encrypted(self) -> bool:
        """Whether the session number announces AES-CTR."""
        return self.session is not None and self.session >> 29 == 1

    @property
    def has_payload_check(self) -> bool:
        """Whether a payload CRC stands before the payload."""
        return self.session is not None

    def encode(self) -> bytes:
        """The header with its CI, without the payload CRC."""
        out = bytes((self.ci, self.control, self.access))
        if (self.ci in _WITH_ADDRESS) != (self.address is not None):
            raise LocalProtocolError("only extended link layers III and IV carry an address")
        if (self.ci in _WITH_SESSION) != (self.session is not None):
            raise LocalProtocolError("only extended link layers II and IV carry a session number")
        if self.address is not None:
            out += self.address.to_radio()
        if self.session is not None:
            out += self.session.to_bytes(4, "little")
        return out

    def _counter(self, address: Address) -> bytes:
        """The first counter block: address, control field without its hop bits, session, frame and block number."""
        session = (self.session or 0).to_bytes(4, "little")
        return (self.address or address).to_radio() + bytes((self.control & ~_HOPS,)) + session + bytes(3)

    def open(self, body: bytes, key: bytes | None, address: Address) -> bytes:
        """The payload after the payload CRC of ``body``; SecurityError(ell-crc) if it does not verify.

        Without a key the octets are taken as plain. ``address`` is the sender of the frame.
        """
        if len(body) < 2:
            raise DecodeError("the payload CRC is cut off", 0, "truncated")
        if key is not None:
            if len(key) != 16:
                raise SecurityError(f"a key has 16 octets, not {len(key)}", "key")
            body = aes_ctr(key, self._counter(address), body)
        if body[0] | body[1] << 8 != en13757(body[2:]):
            raise SecurityError(
                "the CRC of the decrypted payload does not verify: wrong key or altered octets", "ell-crc"
            )
        return body[2:]

    def seal(self, payload: bytes, key: bytes | None, address: Address) -> bytes:
        """Payload CRC and payload, encrypted if the session number says so."""
        body = en13757(payload).to_bytes(2, "little") + payload
        if not self.encrypted:
            return body
        if key is None:
            raise SecurityError("the extended link layer wants a key", "key")
        return aes_ctr(key, self._counter(address), body)


def decode_ell(data: bytes, start: int) -> tuple[Ell, int]:
    """The header that begins at ``start`` and the offset after it (at the payload CRC if there is one).

    DecodeError (kinds ``truncated``, ``ell``) if it is cut off or of variable length.
    """
    ci = data[start]
    if ci == _VARIABLE:
        raise DecodeError("the extended link layer of variable length (CI 0x86) is not done here", start, "ell")
    end = start + 3 + (8 if ci in _WITH_ADDRESS else 0) + (4 if ci in _WITH_SESSION else 0)
    if end > len(data):
        raise DecodeError("the extended link layer is cut off", start, "truncated")
    address = Address.from_radio(data[start + 3 : start + 11]) if ci in _WITH_ADDRESS else None
    session = int.from_bytes(data[end - 4 : end], "little") if ci in _WITH_SESSION else None
    return Ell(ci=ci, control=data[start + 1], access=data[start + 2], address=address, session=session), end
