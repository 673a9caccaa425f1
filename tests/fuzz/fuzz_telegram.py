"""Octets to a decoded telegram: an answer for any octets, never an exception, and always plain JSON."""

from __future__ import annotations

import json
import sys

import atheris

with atheris.instrument_imports():
    from meterway.base.ciphers import Gcm12
    from meterway.mapping.dlms import DlmsKeys
    from meterway.mapping.telegram import FORMATS, decode_telegram

KEY, AUTH, TITLE = bytes(range(16)), bytes(range(0xD0, 0xE0)), b"MWY\x00\x00\x00\x00\x01"
KEYS = DlmsKeys(keys=(KEY,), auth_key=AUTH, system_title=TITLE)
NAMES = (None, *FORMATS)
CIPHER = Gcm12(KEY)


def one_input(octets: bytes) -> None:
    """The first octet chooses the format, keys, and whether the rest is sealed in an envelope that these open."""
    if not octets:
        return
    choice, body = octets[0], octets[1:]
    name = NAMES[choice % len(NAMES)]
    if choice & 0x40:
        sealed = CIPHER.seal(TITLE + bytes(4), body, b"\x30" + AUTH)
        body = b"\xdb\x08" + TITLE + b"\x82" + (len(sealed) + 5).to_bytes(2, "big") + b"\x30" + bytes(4) + sealed
    decoded = decode_telegram(body, KEYS if choice & 0x80 else None, format=name)
    json.dumps(decoded.as_json(), allow_nan=False)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
