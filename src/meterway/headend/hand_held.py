"""A hand-held: it reads a meter at its local port while there is no line to it, with a password and no keys.

What it needs of the meter is the password of the reading client (low level security), so that a tool that is lost
takes no key of any meter with it. The password goes over the local line in the clear, as low level security has it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final, Literal

from meterway.base.errors import LinkError
from meterway.headend.collect import Collected, Plan, collect
from meterway.headend.local_reading import LocalReading
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.client.session import MeterSession, SessionDone, SessionFailed
from meterway.stacks.dlms.framing import Framing, Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.security.hls import LLS
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

__all__ = ["LocalPort", "plan_of", "read_locally"]

_HDLC_INFO: Final = 2030
_LONGEST_ANSWER: Final = 1 << 24
_SESSION_S: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPort:
    """Where a meter's local port is, and as whom to ask: the reading client of the companion profile."""

    host: str
    port: int
    password: bytes
    transport: str = "hdlc"
    """``hdlc`` (on TCP) or ``tcp`` (the wrapper)."""
    client: int = 2
    sap: int = 1
    physical: int = 17
    profile: str = "idis"

    def __repr__(self) -> str:
        """No secrets in logs."""
        return f"LocalPort({self.host}:{self.port})"

    def framing(self) -> Framing:
        """What carries APDUs there."""
        if self.transport == "tcp":
            return WrapperFraming(self.client, self.sap, role=Role.CLIENT)
        address = HdlcAddress(logical=self.sap, physical=self.physical, size=2)
        return HdlcFraming(
            role=Role.CLIENT, client=self.client, server=address, max_info_tx=_HDLC_INFO, max_info_rx=_HDLC_INFO,
            window_tx=7, window_rx=7,
        )  # fmt: skip


def plan_of(profile: str, from_s: float, to_s: float) -> Plan:
    """All registers of a companion profile, and what its profiles and logs hold of a time. The clock is left alone."""
    known = load_profile(profile)

    def attributes(kind: Literal["identity", "register", "profile", "log"]) -> list[AttributeDescriptor]:
        return [AttributeDescriptor(item.class_id, item.obis, 2) for item in known.collected(kind)]

    return Plan(
        identity=tuple((str(item.obis.short), item) for item in attributes("identity")),
        registers=tuple(attributes("register")),
        profiles=tuple((item.obis, from_s, to_s) for item in attributes("profile")),
        logs=tuple((item.obis, from_s, to_s) for item in attributes("log")),
    )


async def read_locally(place: LocalPort, *, who: str, from_s: float, to_s: float) -> LocalReading:
    """Associate at the local port, read all there is from ``from_s`` to ``to_s`` (Unix seconds), release.

    LinkError if nobody is there or the line breaks, the error of the meter's refusal otherwise (SecurityError for a
    wrong password), ConfigError for a meter that does not say who it is.
    """
    started, begun = time.time(), time.perf_counter()
    settings = ClientSettings(mechanism=LLS, secret=place.password, max_response=_LONGEST_ANSWER)
    collected = Collected()
    session = MeterSession(
        DlmsClient(place.framing(), settings), collect(plan_of(place.profile, from_s, to_s), collected, time.time)
    )
    report = await _run(place, session)
    if isinstance(report, SessionFailed):
        raise report.error
    return LocalReading.of(
        collected,
        who=who,
        at=f"{place.host}:{place.port}",
        started_s=started,
        duration_s=time.perf_counter() - begun,
        octets=report.octets,
    )


async def _run(place: LocalPort, session: MeterSession[Collected]) -> SessionDone[Collected] | SessionFailed:
    done: asyncio.Future[SessionDone[Collected] | SessionFailed] = asyncio.get_running_loop().create_future()

    def report(event: SessionDone[Collected] | SessionFailed) -> None:
        if not done.done():
            done.set_result(event)

    def lost(_: Exception | None) -> None:
        report(SessionFailed("link", LinkError("the connection was lost"), (), 0))

    def made(protocol: EngineProtocol[SessionDone[Collected] | SessionFailed]) -> None:
        session.open(protocol.now())

    def make() -> EngineProtocol[SessionDone[Collected] | SessionFailed]:
        return EngineProtocol(session, report, on_made=made, on_lost=lost)

    protocol = await tcp.connect(place.host, place.port, make)
    try:
        async with asyncio.timeout(_SESSION_S):
            return await done
    except TimeoutError:
        raise LinkError(f"the session at {place.host}:{place.port} did not end within {_SESSION_S:g} s") from None
    finally:
        protocol.close()
