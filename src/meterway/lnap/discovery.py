"""What Home Assistant is told: which sensors there are (MQTT discovery) and what they show. Pure.

Energy dashboards add up what a sensor shows, so a cumulative sensor never shows less than before, no zero that was not
measured, and nothing that is not plausible: a doubtful value is simply not published.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.mirror import Mirrored
from meterway.interfaces.mbus.rules import is_cumulative
from meterway.interfaces.mbus.site import Site
from meterway.interfaces.mbus.tariff import stage_at
from meterway.mapping.obis import describe
from meterway.stacks.mbus.address import DEVICE_TYPES

__all__ = ["Messages", "announcements", "sensor_of", "states"]

Messages = dict[str, str]
"""Payloads by topic; all of them are retained."""

_KILO: Final = 3
_ENERGY, _JOULE, _VOLUME, _POWER = 30, 25, 13, 27
_MEDIA: Final = {7: "gas", 8: "water", 9: "water"}
_CLASSES: Final[dict[int, tuple[str, str]]] = {
    _POWER: ("power", "W"),
    9: ("temperature", "°C"),
    52: ("temperature", "K"),
    15: ("volume_flow_rate", "m³/h"),
    35: ("voltage", "V"),
    33: ("current", "A"),
}
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")


class Sensor(NamedTuple):
    """How a register is shown: device class, state class, unit, and by which power of ten its unit is larger."""

    device_class: str
    state_class: str
    unit: str
    shift: int = 0


def sensor_of(obis: Obis, unit: int) -> Sensor:
    """The sensor of a register; empty words are left out of the announcement."""
    total = "total_increasing" if is_cumulative(obis) else ""  # a value of the due date only stands there
    if unit == _ENERGY:
        return Sensor("energy", total, "kWh", _KILO)
    if unit == _JOULE:
        return Sensor("energy", total, "MJ", 2 * _KILO)
    if unit == _VOLUME:
        # what flows through a heat meter is neither gas nor water to be billed
        return Sensor(_MEDIA.get(obis.a, "volume"), total, "m³")
    state = total or "measurement"
    kind, symbol = _CLASSES.get(unit, ("", symbol_of(unit) if unit != 255 else ""))
    if kind == "temperature" and obis.c == 12:
        return Sensor("", state, symbol)
    return Sensor(kind, state, symbol)


def shown(value: Mirrored, sensor: Sensor) -> str:
    """The number as text, exact."""
    return f"{Decimal(value.raw).scaleb(value.scaler - sensor.shift):f}"


class _Topics(NamedTuple):
    prefix: str
    discovery: str
    node: str

    def status(self) -> str:
        return f"{self.prefix}/{self.node}/status"

    def meter(self, meter: Bound, what: str) -> str:
        return f"{self.prefix}/{self.node}/{_safe(meter.name)}/{what}"

    def config(self, meter: Bound, what: str) -> str:
        return f"{self.discovery}/sensor/{self.node}/{_safe(meter.name)}_{what}/config"


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text)


def topics_of(site: Site, prefix: str, discovery: str) -> _Topics:
    """The topics of a gateway."""
    return _Topics(prefix, discovery, _safe(site.serial))


def _what(obis: Obis) -> str:
    return "_".join(str(group) for group in obis[:5])


def _values(site: Site, meter: Bound) -> Iterable[Mirrored]:
    """The last good value of each register; a register that was never good is not there."""
    ledger = site.ledger
    for obis in ledger.registers(meter):
        good = meter.good.get(obis)
        if good is not None:
            yield good


def _tariff(site: Site, channel: int) -> list[int]:
    stages = {stage.number for case in site.tariffs if case.channel == channel for stage in case.stages}
    return sorted(stages)


def announcements(site: Site, meters: Iterable[Bound], *, prefix: str, discovery: str) -> Messages:
    """The discovery configuration of every sensor, by topic."""
    topics = topics_of(site, prefix, discovery)
    out: Messages = {}
    words: dict[str, object]
    for meter in meters:
        for value in _values(site, meter):
            sensor = sensor_of(value.obis, value.unit)
            words = {
                "device_class": sensor.device_class,
                "state_class": sensor.state_class,
                "unit_of_measurement": sensor.unit,
            }
            name, what = describe(value.obis).title, _what(value.obis)
            out[topics.config(meter, what)] = _config(site, topics, meter, what, name, words)
        stages = _tariff(site, meter.channel)
        if stages:
            options = [str(number) for number in (0, *stages)]
            words = {"device_class": "enum", "options": options}
            out[topics.config(meter, "tariff")] = _config(site, topics, meter, "tariff", "Tariff", words)
    return out


def _config(site: Site, topics: _Topics, meter: Bound, what: str, name: str, words: Mapping[str, object]) -> str:
    device = {
        "identifiers": [f"{site.serial}_{meter.name}"],
        "name": f"{DEVICE_TYPES.get(meter.device_type, 'meter').capitalize()} meter {meter.address.ident}",
        "manufacturer": meter.address.manufacturer_text,
        "serial_number": meter.address.ident,
        "via_device": site.serial,
    }
    row = {
        "name": name,
        "unique_id": f"{_safe(site.serial)}_{_safe(meter.name)}_{what}",
        "state_topic": topics.meter(meter, what),
        **{key: value for key, value in words.items() if value},
        "availability": [{"topic": topics.status()}, {"topic": topics.meter(meter, "availability")}],
        "availability_mode": "all",
        "device": device,
        "origin": {"name": "Meterway", "sw_version": site.firmware},
    }
    return json.dumps(row, ensure_ascii=False, sort_keys=True)


def states(site: Site, meters: Iterable[Bound], *, prefix: str, discovery: str, now: float) -> Messages:
    """What every sensor shows now, and whether its meter is heard."""
    topics = topics_of(site, prefix, discovery)
    out: Messages = {}
    for meter in meters:
        values = list(_values(site, meter))
        if values:
            out[topics.meter(meter, "availability")] = "offline" if meter.silent else "online"
        for value in values:
            out[topics.meter(meter, _what(value.obis))] = shown(value, sensor_of(value.obis, value.unit))
        case = next((one for one in site.tariffs if one.channel == meter.channel and one.stages), None)
        if case is not None:
            out[topics.meter(meter, "tariff")] = str(stage_at(case.stages, now, site.zone))
    return out
