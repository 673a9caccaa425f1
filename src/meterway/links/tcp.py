"""TCP: connect to a peer, listen for peers. Loopback unless another host is named."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, TypeVar, cast

from meterway.base.errors import ConfigError, LinkError

__all__ = ["LOOPBACK", "Listener", "connect", "deliver", "listen", "send_once"]

LOOPBACK: Final = "127.0.0.1"

ProtocolT = TypeVar("ProtocolT", bound=asyncio.BaseProtocol)


class Listener:
    """A bound TCP port that makes one protocol for each peer."""

    __slots__ = ("_server", "host", "port")

    def __init__(self, server: asyncio.Server, host: str, port: int) -> None:
        self._server = server
        self.host = host
        self.port = port

    def close(self) -> None:
        """Take no more peers; those that are there stay."""
        self._server.close()

    async def wait_closed(self) -> None:
        """Wait until the port is free again."""
        await self._server.wait_closed()


async def connect(
    host: str | None,
    port: int,
    factory: Callable[[], ProtocolT],
    *,
    timeout_s: float = 10.0,
    tls: ssl.SSLContext | None = None,
    server_name: str | None = None,
) -> ProtocolT:
    """Connect and return the protocol that ``factory`` made.

    LinkError names the address when it is refused, unreachable, unknown, silent for ``timeout_s`` or when
    TLS fails. ``server_name`` is the name expected in the certificate (default: the host).
    """
    host = host or LOOPBACK
    loop = asyncio.get_running_loop()
    name = (server_name or host) if tls is not None else None
    try:
        async with asyncio.timeout(timeout_s):
            _, protocol = await loop.create_connection(factory, host, port, ssl=tls, server_hostname=name)
    except TimeoutError:
        raise LinkError(f"{host}:{port} did not answer within {timeout_s:g} s") from None
    except ssl.SSLError as error:
        raise LinkError(f"TLS with {host}:{port} failed: {error.reason or error}") from error
    except OSError as error:
        raise LinkError(f"{host}:{port} cannot be reached: {_reason(error)}") from error
    return protocol


class _Once(asyncio.Protocol):
    """Writes one message and closes; ``done`` says how it ended."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        line = cast(asyncio.Transport, transport)  # uvloop's transports are no subclass
        line.write(self._octets)
        line.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if exc is None else self.done.set_exception(LinkError(str(exc)))


async def send_once(host: str | None, port: int, octets: bytes) -> None:
    """Connect, send one message, close; LinkError if the line does not take it."""
    once = await connect(host, port, lambda: _Once(octets))
    await once.done


class _Delivery(asyncio.Protocol):
    """Writes one message, says that nothing more comes, and waits for the peer to close; ``done`` says how it ended."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._closed = False
        self.transport: asyncio.BaseTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        line = cast(asyncio.Transport, transport)  # uvloop's transports are no subclass
        line.write(self._octets)
        line.write_eof()

    def eof_received(self) -> None:
        self._closed = True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if exc is None and self._closed:
            self.done.set_result(None)
        else:
            self.done.set_exception(LinkError(f"the line broke: {exc or 'cut off'}"))


async def deliver(host: str | None, port: int, octets: bytes, *, timeout_s: float = 10.0) -> None:
    """Send one message and wait until the peer has read all of it and closed the line.

    LinkError if it resets the line or does not close it within ``timeout_s``. That the peer closed in good order tells
    that its end of the line took every octet, not what became of them.
    """
    delivery = await connect(host, port, lambda: _Delivery(octets), timeout_s=timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            await delivery.done
    except TimeoutError:
        raise LinkError(f"{host or LOOPBACK}:{port} did not close the line within {timeout_s:g} s") from None
    finally:
        if isinstance(delivery.transport, asyncio.Transport):
            delivery.transport.abort()


async def listen(
    host: str | None,
    port: int,
    factory: Callable[[], asyncio.BaseProtocol],
    *,
    tls: ssl.SSLContext | None = None,
    backlog: int = 1024,
) -> Listener:
    """Bind and listen; port 0 takes any free one (see ``Listener.port``).

    ConfigError names host and port if the port is taken, forbidden or the host is not ours.
    """
    host = host or LOOPBACK
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(factory, host, port, ssl=tls, backlog=backlog)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{port}: {_reason(error)}") from error
    return Listener(server, host, server.sockets[0].getsockname()[1])


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
