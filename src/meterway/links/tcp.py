"""TCP: connect to a peer, listen for peers. Loopback unless another host is named."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, TypeVar

from meterway.base.errors import ConfigError, LinkError

__all__ = ["LOOPBACK", "Listener", "connect", "listen", "send_once"]

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
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._octets)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if exc is None else self.done.set_exception(LinkError(str(exc)))


async def send_once(host: str | None, port: int, octets: bytes) -> None:
    """Connect, send one message, close; LinkError if the line does not take it."""
    once = await connect(host, port, lambda: _Once(octets))
    await once.done


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
