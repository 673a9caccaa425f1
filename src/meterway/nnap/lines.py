"""The lines northbound: who may open one and how many there are, and who of them hears what meters say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from meterway.links.limits import Addresses, Lines
from meterway.links.pump import EngineProtocol
from meterway.nnap.config import SideConfig
from meterway.nnap.events import Code
from meterway.nnap.north import Carry, NorthLine
from meterway.nnap.notices import Notice, Notices
from meterway.nnap.site import Site
from meterway.stacks.dlms.framing import FramingEvent, Role
from meterway.stacks.dlms.server import LogicalDevice
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.wrapper import WrapperFraming

__all__ = ["NorthLines"]

_KNOCK_S: Final = 3600.0
_KNOCKS: Final = 256


class NorthLines:
    """Every line that is open, whoever opened it. ``now`` gives Unix seconds."""

    def __init__(
        self,
        wan: SideConfig,
        site: Site,
        notices: Notices,
        *,
        device_of: Callable[[int], LogicalDevice | None],
        carry: Carry,
        now: Callable[[], float],
    ) -> None:
        self._site = site
        self._notices = notices
        self._device_of = device_of
        self._carry = carry
        self._now = now
        self._open: dict[EngineProtocol[FramingEvent], NorthLine] = {}
        self._knocked: dict[str, float] = {}
        self._allowed = Addresses(wan.allow)
        self._limits = Lines(most=wan.lines, of_one=wan.lines_of_one, idle_s=wan.idle_s)

    def __len__(self) -> int:
        return len(self._open)

    def accept(self) -> asyncio.BaseProtocol:
        """The line of somebody who connects."""
        protocol, _ = self._new(WrapperFraming(0, 0, role=Role.SERVER), is_called=False)
        return protocol

    def called(self, framing: WrapperFraming) -> tuple[EngineProtocol[FramingEvent], NorthLine]:
        """A line that the concentrator opens itself; no limit holds for it."""
        return self._new(framing, is_called=True)

    def forget(self, protocol: EngineProtocol[FramingEvent]) -> None:
        """A line is gone, or never came to be; what it had not passed on waits for the next."""
        line = self._open.pop(protocol, None)
        if line is not None:
            self._notices.lost(line, self._now())
        self._limits.drop(protocol)

    def abort(self) -> None:
        """Close all of them at once."""
        for protocol in tuple(self._open):
            protocol.abort()

    def cut_idle(self, loop_s: float) -> None:
        """Close those that were silent for too long."""
        self._limits.cut_idle(loop_s)

    def say(self, notice: Notice) -> bool:
        """To every line with somebody known, or to the next that is opened to one; False if it has to wait."""
        lines = [line for protocol, line in self._open.items() if protocol.connected and line.is_trusted]
        self._notices.say(notice, lines, self._now())
        return bool(lines)

    def _new(self, framing: WrapperFraming, *, is_called: bool) -> tuple[EngineProtocol[FramingEvent], NorthLine]:
        engine = NorthLine(
            framing,
            self._device_of,
            self._carry,
            on_answer=lambda: protocol.flush(),
            hears=self._hears,
            on_trusted=lambda: self._notices.opened(engine, self._now()),
        )
        protocol: EngineProtocol[FramingEvent] = EngineProtocol(
            engine,
            lambda _: None,
            on_made=None if is_called else lambda made: self._made(made, engine),
            on_lost=lambda _: self.forget(protocol),
        )
        engine.on_denied = lambda: self._denied(protocol)
        self._open[protocol] = engine
        return protocol, engine

    def _hears(self, client: int) -> bool:
        """What meters say by themselves is for who may command them."""
        party = self._site.party(client)
        return party is not None and party.may(Right.COMMAND)

    def _made(self, protocol: EngineProtocol[FramingEvent], line: NorthLine) -> None:
        """Somebody has connected: he is cut who may not, or if there are too many."""
        line.is_known = protocol.host in self._allowed
        if self._allowed.is_given and not line.is_known:
            self._denied(protocol)
            protocol.abort()
            return
        if self._limits.take(protocol) and self._allowed.is_given:
            line.listed()

    def _denied(self, protocol: EngineProtocol[FramingEvent]) -> None:
        """Log it, once in a while for one address: who knocks for ever must not fill the log."""
        host, now = protocol.host, self._now()
        if now - self._knocked.get(host, -_KNOCK_S) >= _KNOCK_S:
            if len(self._knocked) >= _KNOCKS:
                self._knocked.clear()
            self._knocked[host] = now
            self._site.log(now, Code.ACCESS_DENIED, detail=f"{host} on the port of the head end")
