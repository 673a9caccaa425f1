"""Opening general-ciphering: an APDU that brings its key along, wrapped, or names the one to use (IEC 62056-5-3).

As far as known the fields of the envelope are authenticated as they are encoded, with their lengths, between the
authentication key and the octets; senders that leave out the lengths, or the fields, are read and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import SecurityError
from meterway.stacks.dlms.security.context import open_octets
from meterway.stacks.dlms.security.keys import unwrap_key
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphering

__all__ = ["open_general", "session_keys"]

_KEY_SIZES: Final = frozenset((16, 32))


def session_keys(apdu: GeneralCiphering, keys: Sequence[bytes]) -> tuple[bytes, ...]:
    """The keys that may open it: what a wrapped key holds under any of ``keys``, then ``keys`` themselves."""
    wrapped = apdu.wrapped_key
    found: list[bytes] = []
    for key in keys if wrapped is not None else ():
        try:
            unwrapped = unwrap_key(key, wrapped or b"")
        except SecurityError:
            continue
        if len(unwrapped) in _KEY_SIZES:
            found.append(unwrapped)
    return (*found, *keys)


def open_general(apdu: GeneralCiphering, key: bytes, auth_key: bytes | None) -> tuple[bytes, tuple[str, ...]]:
    """(plaintext, quirks); with an authentication key its tag is verified, SecurityError(tag) if it does not.

    Quirks: ``fields-without-lengths``, ``fields-not-authenticated``.
    """
    cipher = Gcm12(key)
    if auth_key is None:
        return open_octets(cipher, None, apdu.originator, apdu.protected)[0], ()
    for header, quirks in _headers(apdu):
        try:
            return open_octets(cipher, auth_key, apdu.originator, apdu.protected, header=header)[0], quirks
        except SecurityError as error:
            if error.check != "tag":
                raise
            refused = error
    raise refused


def _headers(apdu: GeneralCiphering) -> tuple[tuple[bytes, tuple[str, ...]], ...]:
    fields = (apdu.transaction_id, apdu.originator, apdu.recipient, apdu.date_time, apdu.other_information)
    return (
        (apdu.header, ()),
        (b"".join(fields), ("fields-without-lengths",)),
        (b"", ("fields-not-authenticated",)),
    )
