"""What the consumer port tells: the values of a P1 telegram."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.load import SLOT_S
from meterway.meter.tariff import TARIFFS
from meterway.stacks.dlms.classes.disconnect_control import ControlState
from meterway.stacks.p1.build import P1Values, PeakValues, PhaseValues, telegram_of
from meterway.stacks.p1.telegram import encode

__all__ = ["p1_telegram", "p1_values"]


def p1_values(meter: Meter, now: float) -> P1Values:
    """Everything the port may tell at ``now`` (Unix seconds)."""
    rates = meter.rates_at(now)
    energies = meter.energy_at(now)
    live = meter.network(now)
    phases = tuple(
        PhaseValues(
            power_in_w=round(max(live.phase_w(phase), 0.0)),
            power_out_w=round(max(-live.phase_w(phase), 0.0)),
            voltage_v=live.voltages_v[phase],
            current_a=live.currents_a[phase],
        )
        for phase in range(3)
    )
    slot = now // SLOT_S * SLOT_S
    watts, when, failures = _until(meter, slot)
    return P1Values(
        serial=meter.serial,
        time=meter.utc(now).replace(microsecond=0),
        energy_in_wh=rates[:2],
        energy_out_wh=rates[TARIFFS : TARIFFS + 2],
        reactive_in_varh=energies[2],
        reactive_out_varh=energies[3],
        power_in_w=live.import_w,
        power_out_w=live.export_w,
        phases=phases,
        tariff=meter.tariff(now),
        power_failures=failures,
        breaker=int(meter.control_state is ControlState.CONNECTED),
        demand_w=(energies[0] - meter.energy_at(slot)[0]) * 4,
        peak=PeakValues(power_w=watts, time=_utc(when), period=_utc(when)) if watts else None,
    )


@lru_cache(maxsize=512)
def _until(meter: Meter, slot_s: float) -> tuple[int, int, int]:
    """The month's peak (W, Unix seconds) and the count of power failures, as a quarter-hour begins."""
    watts, when = meter.demand_max(max(meter.zone.month_start(slot_s), meter.demand_reset_s), slot_s)
    logged = meter.log_events(Log.STANDARD, 0.0, slot_s, slot_s)
    return watts, when, sum(event.code == EventCode.POWER_DOWN for event in logged)


def _utc(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def p1_telegram(meter: Meter, dialect: str, now: float) -> bytes:
    """The sealed telegram of a dialect: ``dsmr5``, ``emucs`` or ``sweden``."""
    return encode(telegram_of(p1_values(meter, now), dialect))
