"""The REST API under ``/api/v1``: what the head end knows; its commands stand in ``commands``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from litestar import Router, get
from litestar.params import FromQuery, QueryParameter

from meterway.base.errors import ConfigError
from meterway.headend.api import AuditRow, Curve, DayCompleteness, EventRow, Gap, MeterPage, MeterRow, Overview
from meterway.headend.web.commands import COMMANDS
from meterway.headend.web.given import TheViews, WhichMeter
from meterway.headend.web.problems import ONE_METER, REFUSED

__all__ = ["FromDay", "ToDay", "day_range", "router"]

_LONGEST_DAYS: Final = 400


Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="How many rows at most")]
Offset = Annotated[int, QueryParameter(ge=0, le=1_000_000_000, description="How many rows to leave out first")]
FromDay = Annotated[date | None, QueryParameter(name="from", description="First day (UTC); 7 days ago if left out")]
ToDay = Annotated[
    date | None, QueryParameter(name="to", description="The day after the last (UTC); tomorrow if left out")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meters:
    """A page of meters; ``total`` is how many there are in all."""

    items: list[MeterRow]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How many rows of the audit log were checked; all of them are unaltered."""

    rows: int


def day_range(from_day: date | None, to_day: date | None) -> tuple[date, date]:
    """Two days, the second exclusive; ConfigError for a range that is empty or too long."""
    today = datetime.now(UTC).date()
    last = to_day or today + timedelta(days=1)
    first = from_day or max(last, date(1, 1, 8)) - timedelta(days=7)
    if first >= last:
        raise ConfigError(f"the range from {first} to {last} is empty: 'to' is the day after the last")
    if (last - first).days > _LONGEST_DAYS:
        raise ConfigError(f"the range from {first} to {last} is longer than {_LONGEST_DAYS} days")
    return first, last


@get("/overview", sync_to_thread=True, tags=["head end"], responses=REFUSED)
def overview(views: TheViews) -> Overview:
    """How things stand now."""
    return views.overview()


@get("/completeness", sync_to_thread=True, tags=["head end"], responses=REFUSED)
def completeness(
    views: TheViews, days: Annotated[int, QueryParameter(ge=1, le=_LONGEST_DAYS)] = 14
) -> list[DayCompleteness]:
    """How full each of the last whole days is, 0 to 1."""
    return views.completeness(days)


@get("/events", sync_to_thread=True, tags=["head end"], responses=ONE_METER)
def events(views: TheViews, serial: FromQuery[str] = "", limit: Limit = 100) -> list[EventRow]:
    """The last events, of one meter or of all, the newest first."""
    return views.events(device=views.device(serial) if serial else None, limit=limit)


@get("/audit", sync_to_thread=True, tags=["head end"], responses=ONE_METER)
def audit(views: TheViews, serial: FromQuery[str] = "", limit: Limit = 100) -> list[AuditRow]:
    """The last commands, about one meter or all, the newest first."""
    return views.audit(device=views.device(serial) if serial else None, limit=limit)


@get("/audit/verification", sync_to_thread=True, tags=["head end"], responses=REFUSED)
def audit_verification(views: TheViews) -> Verification:
    """Check the chain of the whole audit log."""
    return Verification(rows=views.audit_verified())


@get("/meters", sync_to_thread=True, tags=["meters"], responses=REFUSED)
def meters(
    views: TheViews,
    search: Annotated[str, QueryParameter(max_length=100, description="Part of a serial or an address")] = "",
    meter_state: Annotated[str, QueryParameter(name="state", max_length=40)] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Meters:
    """Meters by serial."""
    items, total = views.meters(search, state=meter_state, limit=limit, offset=offset)
    return Meters(items=items, total=total)


@get("/meters/{serial:str}", sync_to_thread=True, tags=["meters"], responses=ONE_METER)
def meter(views: TheViews, serial: WhichMeter) -> MeterPage:
    """All that is known of one meter."""
    return views.meter(serial)


@get("/meters/{serial:str}/curve", sync_to_thread=True, tags=["meters"], responses=ONE_METER)
def curve(views: TheViews, serial: WhichMeter, from_day: FromDay = None, to_day: ToDay = None) -> Curve:
    """The load curve: for each interval (UTC, named by its beginning) the energy it brought, null where unknown."""
    return views.curve(serial, *day_range(from_day, to_day))


@get("/meters/{serial:str}/gaps", sync_to_thread=True, tags=["meters"], responses=ONE_METER)
def gaps(views: TheViews, serial: WhichMeter, from_day: FromDay = None, to_day: ToDay = None) -> list[Gap]:
    """What is missing of the load profile, up to now."""
    return views.gaps(serial, *day_range(from_day, to_day))


_HANDLERS: Final[Sequence[Any]] = (
    overview, completeness, events, audit, audit_verification, meters, meter, curve, gaps, *COMMANDS,
)  # fmt: skip


def router() -> Router:
    """All of it."""
    return Router("/api/v1", route_handlers=list(_HANDLERS))
