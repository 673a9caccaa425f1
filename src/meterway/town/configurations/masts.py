"""Masts of concentrators and the battery meters around them: a simulated air, real telegrams in modes C and N."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from meterway.base.errors import LinkError
from meterway.interfaces import Entity
from meterway.meter.mbus import api as mbus
from meterway.nnap.api import CollectorConfig, MeterConfig, Nnap, RadioConfig
from meterway.town.configurations.messages import Carried, FieldOrder
from meterway.town.configurations.on_air import OnAir, until
from meterway.town.configurations.plan import Layout, Placed, secret_of
from meterway.town.configurations.shape import Carrier, Kind

__all__ = ["Masts"]

_BY_RADIO: Final = (Carrier.RADIO, Carrier.LONG_RADIO)
_UTILITIES: Final = {Kind.GAS: mbus.Utility.GAS, Kind.WATER: mbus.Utility.WATER, Kind.HEAT: mbus.Utility.HEAT}
_CHANNELS: Final[tuple[Literal["N1a", "N1b", "N1e", "N1f"], ...]] = ("N1a", "N1b", "N1e", "N1f")
"""Meters around a mast are spread over the channels of the band."""
_HEARS: Final = ("S1", "T1", "C1", *_CHANNELS)
_LONGER: Final = 3
"""How many times less often a meter at 169 MHz speaks: its telegram takes that much longer, and more."""
_APART_M: Final = 40.0
_HEARD_S: Final = 60.0


class Masts:
    """The radio side of the concentrators of a layout; nothing of it where they have none."""

    def __init__(self, layout: Layout, order: FieldOrder) -> None:
        self._layout = layout
        self._order = order
        self._secret = bytes.fromhex(order.secret)
        self._air = OnAir(Entity.NNAP, self._place)

    def around(self, mast: Placed) -> list[tuple[Placed, Carrier]]:
        """The meters that a concentrator hears, in the order of its channels."""
        return [
            (near, link.carrier)
            for link in self._layout.links(*_BY_RADIO)
            for near, far in self._layout.joined(link)
            if far.serial == mast.serial and far.part.kind is Kind.CONCENTRATOR
        ]

    async def open(self) -> None:
        """Open the air with all meters that any concentrator hears; a meter between two is there once."""
        things = {near.serial: (near, carrier) for mast in self._masts() for near, carrier in self.around(mast)}
        if things:
            await self._air.open(self._meter(*one) for one in things.values())

    async def stop(self) -> None:
        """Take everything down."""
        await self._air.stop()

    def _masts(self) -> list[Placed]:
        return self._layout.of(Kind.CONCENTRATOR)

    def _meter(self, meter: Placed, carrier: Carrier) -> mbus.MeterConfig:
        utility, is_long = _UTILITIES[meter.part.kind], carrier is Carrier.LONG_RADIO
        return mbus.MeterConfig(
            ident=meter.serial,
            utility=utility,
            key=secret_of(self._secret, "meter", meter.serial)[:16].hex(),
            valve=utility is mbus.Utility.GAS,
            radio=_CHANNELS[meter.premises % len(_CHANNELS)] if is_long else "C1",
            bidirectional=is_long,
            interval_s=self._order.speak_s * (_LONGER if is_long else 1),
        )

    def _place(self, ident: str) -> tuple[float, float, float]:
        """In a circle around the mast, a street apart."""
        thing = next(one for one in self._layout.things if one.serial == ident)
        return (thing.premises % 5 - 2) * _APART_M + int(ident[0]), (1 + thing.premises // 5) * _APART_M, 0.0

    # -- what a concentrator is told ----------------------------------------------------------------------------------

    def listed(self, mast: Placed) -> tuple[MeterConfig, ...]:
        """The white list of a concentrator."""
        configs = [self._meter(meter, carrier) for meter, carrier in self.around(mast)]
        return tuple(
            MeterConfig(address=str(one.address), channel=channel, key=one.key)
            for channel, one in enumerate(configs, 1)
        )

    def radios(self, mast: Placed) -> tuple[RadioConfig, ...]:
        """Its receiver, which hears every mode and channel at once, as no single real one does."""
        if not self.around(mast):
            return ()
        number = [one.serial for one in self._masts()].index(mast.serial)
        return (RadioConfig(port=self._air.port, station=mast.serial, hears=_HEARS, place=(number * 10.0, 0.0, 2.0)),)

    def collector(self, mast: Placed) -> CollectorConfig | None:
        """How it keeps what it hears."""
        if not self.around(mast):
            return None
        return CollectorConfig(store=str(Path(self._order.folder) / f"{mast.serial}-heard.sqlite"))

    # -- hearing ------------------------------------------------------------------------------------------------------

    async def until_heard(self, nnaps: Iterable[Nnap]) -> None:
        """Until every concentrator has heard all of its meters; LinkError if that takes too long."""
        collectors = [nnap.collector for nnap in nnaps if nnap.collector is not None]

        bound = [(one.gateway.mirror, meter) for one in collectors for meter in one.gateway.meters.values()]
        wanted = {meter.name for _, meter in bound}

        def heard() -> set[str]:
            return wanted - {meter.name for mirror, meter in bound if not mirror.of(meter.channel)}

        try:
            async with asyncio.timeout(_HEARD_S):
                await until(lambda: all(one.places.airings for one in collectors))
                await self._air.take_in(heard)
                await until(lambda: heard() == wanted)
        except TimeoutError:
            raise LinkError(f"a concentrator did not hear its battery meters within {_HEARD_S:g} s") from None

    def carried(self) -> list[Carried]:
        """What went over the air between meters and concentrators."""
        return self._air.carried()

    def happen(self, serial: str, what: str) -> dict[str, float] | None:
        """Let it happen to a battery meter; None if it is none of these."""
        return self._air.happen(serial, what)
