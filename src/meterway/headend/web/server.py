"""Serving the pages and the API in the loop of the head end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn

from meterway.base.errors import ConfigError
from meterway.headend.api import Views
from meterway.headend.serve import HeadEnd
from meterway.headend.web.app import create_app
from meterway.headend.web.gate import is_loopback
from meterway.headend.web.tokens import Tokens

__all__ = ["WebServer", "serve"]

_GRACE_S: Final = 2


class _Server(uvicorn.Server):
    """Leaves the signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """A server that answers; ``address`` is where its pages are."""

    def __init__(self, server: _Server, listener: socket.socket, ending: asyncio.Event, address: str) -> None:
        self.address = address
        self._server = server
        self._listener = listener
        self._ending = ending
        self._task = asyncio.create_task(server.serve(sockets=[listener]))

    @property
    def port(self) -> int:
        """The bound port."""
        return int(self._listener.getsockname()[1])

    async def stop(self) -> None:
        """Take no more requests, let live streams and requests under way end, close."""
        self._ending.set()
        self._server.should_exit = True
        await self._task
        self._listener.close()


async def serve(head_end: HeadEnd, host: str = "", port: int | None = None, *, views: Views | None = None) -> WebServer:
    """Serve pages and API; host and port are those of the configuration if left out, port 0 takes a free one.

    ConfigError if the port is taken, the tokens are wrong, or there are none beyond loopback.
    """
    web = head_end.config.web
    host, port = host or web.host, web.port if port is None else port
    tokens = Tokens(Path(web.tokens) if web.tokens else None)
    if not is_loopback(host) and not tokens:
        raise ConfigError(
            f"web: pages on {host} can be reached by others, so a file of tokens is needed:"
            " name it in web.tokens, make the first token with: meterway headend --new-token NAME"
        )
    app = create_app(head_end, host=host, tokens=tokens, views=views)
    listener = _listen(host, port)
    config = uvicorn.Config(
        app, log_level="error", lifespan="off", access_log=False, server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )  # fmt: skip
    name = f"[{host}]" if ":" in host else host
    return WebServer(_Server(config), listener, app.state.ending, f"http://{name}:{listener.getsockname()[1]}/")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(f"web: {host}:{port} cannot be listened on: {error.strerror or error}") from None
