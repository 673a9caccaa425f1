"""A concentrator that hears battery meters, on a clock that runs when told to; no sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lnap_town import NOON, Air, RadioMeter, listed
from meterway.base.obis import Obis
from meterway.model.report import Report, decode_report
from meterway.nnap.api import CollectorConfig, Nnap, NnapConfig, PartyConfig, SideConfig
from meterway.nnap.collector import Collector
from meterway.nnap.reports import Reporter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult

PARTY = PartyConfig(name="operator", client=1, secret="22" * 16, rights=("read", "command", "configure"))


def settings(folder: Path, *meters: RadioMeter, serial: str = "NNAP0001", **more: Any) -> NnapConfig:
    """A concentrator without a neighbourhood, with a receiver's worth of meters on its list."""
    given: dict[str, Any] = {
        "serial": serial,
        "store": str(folder / f"{serial}.sqlite"),
        "master_key": str(folder / f"{serial}.key"),
        "wan": SideConfig(port=0),
        "parties": (PARTY,),
        "collector": CollectorConfig(store=str(folder / f"{serial}-heard.sqlite")),
        "battery_meters": tuple(listed(meter, channel) for channel, meter in enumerate(meters, 1)),
    }
    return NnapConfig(**{**given, **more})


@dataclass(slots=True)
class Mast:
    """The concentrator, its place on the air and its time. ``pass_s`` lets time pass, second by second at first."""

    config: NnapConfig
    now: float = NOON
    air: Air = field(default_factory=Air)
    nnap: Nnap = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start, or start again after ``kill``."""
        self.nnap = Nnap(self.config, unix=lambda: self.now)
        self.collector.restore(self.config.battery_meters)
        self.air = Air()
        self.collector.places.attach(self.air)
        self.nnap.tick()

    def kill(self) -> None:
        """The process is gone: nothing more is written."""
        self.collector.spool.close()
        self.nnap.store.close()

    @property
    def collector(self) -> Collector:
        assert self.nnap.collector is not None
        return self.nnap.collector

    def hear(self, meter: RadioMeter, value: float, *, mode: str = "N1a") -> None:
        """A telegram of a meter now, and the tick after it."""
        self.air.say(meter.telegram(value), self.now, mode)
        self.nnap.tick()

    def pass_s(self, seconds: float) -> None:
        """Let time pass: one tick at its end."""
        self.now += seconds
        self.nnap.tick()

    def report(self) -> Report | None:
        """The next report, taken out of the spool as if it was acknowledged."""
        reporter = Reporter(self.nnap.site, compression="none")
        if not reporter.build(self.now):
            return None
        (kept,) = self.nnap.store.reports()
        self.nnap.store.drop_report(kept.id)
        return decode_report(kept.octets)

    def device(self, sap: int) -> Any:
        """The logical device of an address."""
        return self.nnap._device(sap)

    def get(self, sap: int, class_id: int, code: str, attribute: int = 2) -> object:
        """A typed value, or the word of the refusal."""
        item = AttributeDescriptor(class_id, Obis.parse(code), attribute)
        answer = self.device(sap).get(1, item, None, 0.0)
        if isinstance(answer, DataAccessResult):
            return answer.word
        return typed(class_id, attribute, axdr.decode_all(answer))

    def act(self, sap: int, class_id: int, code: str, method: int, value: axdr.Data | None = None) -> object:
        """What a method answers."""
        octets = axdr.encode(axdr.i8(0) if value is None else value)
        return self.device(sap).act(1, MethodDescriptor(class_id, Obis.parse(code), method), octets, 0.0).result

    def set(self, sap: int, class_id: int, code: str, attribute: int, value: axdr.Data) -> str:
        """What a setting answers, in a word."""
        item = AttributeDescriptor(class_id, Obis.parse(code), attribute)
        return str(self.device(sap).set(1, item, None, axdr.encode(value), 0.0).word)
