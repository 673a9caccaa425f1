"""An energy manager on interface H2: the consumer's party, it asks the gateway of its home what meters measure."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from meterway.base.ciphers import Gcm12
from meterway.base.errors import LinkError
from meterway.base.obis import Obis
from meterway.base.settings import Secretive, key_octets
from meterway.base.units import symbol_of
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.mapping.party_keys import device_name, party_keys
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.elements import ScalerUnit
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.client.script import Answer, Get, Script
from meterway.stacks.dlms.client.session import MeterSession, SessionDone, SessionFailed
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

__all__ = ["EnergyManager", "ManagerConfig", "Measured"]

_VALUE: Final = Obis(0, 1, 24, 2, 1)
_AGE: Final = Obis(0, 0, 128, 0, 0)
_WANTED: Final = (
    AttributeDescriptor(4, _VALUE, 2),
    AttributeDescriptor(4, _VALUE, 3),
    AttributeDescriptor(3, _AGE, 2),
)


_Told = SessionDone[tuple[Answer, ...]] | SessionFailed


def _read() -> Script[tuple[Answer, ...]]:
    """What is asked of a meter, one after another."""
    answers = []
    for item in _WANTED:
        answers.append((yield Get(item)))  # noqa: PERF401  a generator within would not hear the answers
    return tuple(answers)


class ManagerConfig(Secretive, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Where the gateway's home side is, as which party it is asked, and of which meters."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    gateway: str
    """The gateway's serial; keys derive from it."""
    party: str
    client: Annotated[int, msgspec.Meta(ge=1, le=127)]
    secret: str
    """The party's secret at this gateway: at least 16 octets as hex, or ``env:NAME``."""
    meters: dict[str, Annotated[int, msgspec.Meta(ge=1, le=2000)]]
    """Address and channel of each meter."""
    every_s: Annotated[float, msgspec.Meta(ge=0.1, le=86400)] = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a meter measured, scaled; ``age_s`` is how long ago the gateway heard it, ``at_s`` when it was asked."""

    value: float
    unit: str
    age_s: int
    at_s: float


class EnergyManager:
    """Asks again and again. ``measured`` has the last values by meter; ``error`` says why there are none."""

    def __init__(self, config: ManagerConfig, *, unix: Callable[[], float] = time.time) -> None:
        self.config = config
        self.measured: dict[str, Measured] = {}
        self.error = ""
        self.sessions = 0
        self.octets = 0
        self._unix = unix
        self._secret = key_octets(config.secret, field="secret", most=64)
        self._title = b"MWY" + secrets.token_bytes(5)
        self._counters = {meter: (SendCounter(0), ReceivedCounter()) for meter in config.meters}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.get_running_loop().create_task(self._keep_asking())

    async def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_asking(self) -> None:
        while True:
            await self.ask()
            await asyncio.sleep(self.config.every_s)

    async def ask(self) -> None:
        """Ask for every meter once."""
        for meter, channel in self.config.meters.items():
            try:
                told = await self._ask_one(meter, channel)
            except LinkError as error:
                self.error = str(error)
                continue
            if isinstance(told, SessionFailed):
                self.error = str(told.error)
            else:
                self._take(meter, told.result)

    def _take(self, meter: str, told: tuple[Answer, ...]) -> None:
        value, scaler, age = (axdr.decode_all(one).value if isinstance(one, bytes) else None for one in told)
        raw = told[1]
        scale = typed(4, 3, axdr.decode_all(raw)) if isinstance(raw, bytes) else None
        if not (isinstance(value, int) and isinstance(scale, ScalerUnit) and isinstance(age, int)):
            self.error = f"{meter}: the gateway does not say {scaler!r}"
            return
        self.measured[meter] = Measured(
            value=value * 10.0**scale.scaler, unit=symbol_of(scale.unit), age_s=age, at_s=self._unix()
        )

    async def _ask_one(self, meter: str, channel: int) -> _Told:
        done: asyncio.Future[_Told] = asyncio.get_running_loop().create_future()
        asking = MeterSession(self._client(meter, channel), _read())

        def report(event: _Told) -> None:
            if not done.done():
                done.set_result(event)

        def lost(_: Exception | None) -> None:
            report(SessionFailed("line", LinkError("the gateway closed the line"), (), asking.octets))

        def made() -> EngineProtocol[_Told]:
            return EngineProtocol(asking, report, on_made=lambda line: asking.open(line.now()), on_lost=lost)

        line = await tcp.connect(self.config.host, self.config.port, made)
        try:
            return await done
        finally:
            line.close()
            self.sessions += 1
            self.octets += asking.octets

    def _client(self, meter: str, channel: int) -> DlmsClient:
        keys = party_keys(self._secret, self.config.party, device_name(self.config.gateway, meter))
        sent, received = self._counters[meter]
        settings = ClientSettings(
            mechanism=5,
            control=AUTHENTICATED | ENCRYPTED,
            keys=Keys(keys["guek"], keys["gak"]),
            cipher=Gcm12(keys["guek"]),
            system_title=self._title,
            send_counter=sent,
            received=received,
        )
        return DlmsClient(WrapperFraming(self.config.client, channel + 1, role=Role.CLIENT), settings)
