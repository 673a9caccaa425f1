"""UDP: datagram endpoints, both ways. Loopback unless another host is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from meterway.base.errors import ConfigError, LinkError
from meterway.links.tcp import LOOPBACK

__all__ = ["Address", "UdpEndpoint", "connect_udp", "listen_udp"]

Address = tuple[str, int]
OnDatagram = Callable[["UdpEndpoint", bytes, Address], None]


class UdpEndpoint(asyncio.DatagramProtocol):
    """A UDP socket; ``on_datagram(endpoint, octets, sender)`` is called for each datagram.

    ``on_error`` hears what the network says about datagrams sent earlier (such as a closed port).
    """

    __slots__ = ("_on_datagram", "_on_error", "_transport")

    def __init__(self, on_datagram: OnDatagram, on_error: Callable[[LinkError], None] | None = None) -> None:
        self._on_datagram = on_datagram
        self._on_error = on_error
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> Address:
        """Own host and port."""
        if self._transport is None:
            raise LinkError("the UDP endpoint is closed")
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def send(self, octets: bytes, to: Address | None = None) -> None:
        """Send one datagram, to the connected peer if ``to`` is left out; LinkError after ``close``."""
        if self._transport is None or self._transport.is_closing():
            raise LinkError("the UDP endpoint is closed")
        self._transport.sendto(octets, to)

    def close(self) -> None:
        """Send nothing and hear nothing any more."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket (called by the loop)."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the socket (called by the loop)."""
        self._transport = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass a datagram on (called by the loop)."""
        self._on_datagram(self, data, addr)

    def error_received(self, exc: Exception) -> None:
        """Pass on what the network said (called by the loop)."""
        if self._on_error is not None:
            self._on_error(LinkError(f"UDP: {exc}"))


async def connect_udp(
    host: str | None,
    port: int,
    on_datagram: OnDatagram,
    *,
    on_error: Callable[[LinkError], None] | None = None,
) -> UdpEndpoint:
    """An endpoint that talks to one peer only; LinkError if the address cannot be used."""
    host = host or LOOPBACK
    try:
        return await _open(on_datagram, on_error, remote=(host, port))
    except OSError as error:
        raise LinkError(f"udp {host}:{port} cannot be used: {error.strerror or error}") from error


async def listen_udp(
    host: str | None,
    port: int,
    on_datagram: OnDatagram,
    *,
    on_error: Callable[[LinkError], None] | None = None,
) -> UdpEndpoint:
    """An endpoint that hears everyone; port 0 takes any free one. ConfigError names host and port if taken."""
    host = host or LOOPBACK
    try:
        return await _open(on_datagram, on_error, local=(host, port))
    except OSError as error:
        raise ConfigError(f"cannot listen on udp {host}:{port}: {error.strerror or error}") from error


async def _open(
    on_datagram: OnDatagram,
    on_error: Callable[[LinkError], None] | None,
    *,
    local: tuple[str, int] | None = None,
    remote: tuple[str, int] | None = None,
) -> UdpEndpoint:
    _, endpoint = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: UdpEndpoint(on_datagram, on_error), local_addr=local, remote_addr=remote
    )
    return endpoint
