"""The keys of a party for each logical device of a gateway: what the gateway and the head end both derive."""

from __future__ import annotations

import hmac

__all__ = ["device_name", "party_keys"]

_SIZE = 16


def device_name(gateway: str, name: str) -> str:
    """The name of a logical device of a gateway, from the gateway's serial and the device's own serial or address."""
    return f"{gateway}|{name}"


def party_keys(secret: bytes, party: str, device: str) -> dict[str, bytes]:
    """``guek``, ``gak`` and ``kek`` (which wraps new ones): 16 octets each.

    HMAC-SHA256 of purpose, party and device name under the party's secret. Each logical device has keys of its own: a
    client may count its messages to each of them by itself.
    """
    return {
        purpose: hmac.digest(secret, f"{purpose}|{party}|{device}".encode(), "sha256")[:_SIZE]
        for purpose in ("guek", "gak", "kek")
    }
