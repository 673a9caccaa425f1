"""The watch of concentrators as pages ask for it; who may see and acknowledge is tested with the pages."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from meterway.base.errors import ConfigError
from meterway.headend.nnap_watch import WatchViews
from meterway.mapping.alarms import AlarmKind
from meterway.store.alarms import AlarmRow
from meterway.store.balances import BalanceDay
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, NewDevice

pytestmark = pytest.mark.covers("E-HES-12", "E-HES-5")


def views(store: Store) -> tuple[WatchViews, int]:
    device = store.devices.add(NewDevice(serial="N9", utility=GATEWAY, profile="nnap"), now_ms=1).id
    return WatchViews(SimpleNamespace(store=store)), device  # type: ignore[arg-type]  # only its store is asked


def test_a_day_is_told_in_shares_and_kilowatt_hours(store: Store) -> None:
    watch, device = views(store)
    today = int(time.time()) // 86400
    row = BalanceDay(
        device=device, day=today - 1, revision=2, judged_ms=1000, period_s=900, intervals=96, complete=48,
        given=20_000, taken=18_000, low=-20, high=60, verdict=2, lacking=9, missing='[["M1", 6]]',
    )  # fmt: skip
    store.balances.put_many([row])
    (found,) = watch.losses(device)
    assert (found.share, found.lost, found.given, found.complete) == (0.1, 2.0, 20.0, 0.5)
    assert (found.verdict, found.missing, found.low) == ("beyond", [("M1", 6)], -0.02)
    assert watch.losses(device, days=0) == []


@pytest.mark.parametrize("kind", list(AlarmKind), ids=lambda kind: kind.name)
def test_every_kind_of_alarm_has_its_words(store: Store, kind: AlarmKind) -> None:
    watch, device = views(store)
    store.alarms.put_many([AlarmRow(device=device, kind=int(kind), subject="", raised_ms=5000)])
    (found,) = watch.alarms(device)
    assert (found.kind, found.raised, found.cleared) == (kind.name.lower(), "1970-01-01T00:00:05Z", "")
    assert found.title
    assert found.severity in ("warning", "critical")


def test_an_alarm_that_was_seen_counts_no_more_and_one_there_is_not_cannot_be(store: Store) -> None:
    watch, device = views(store)
    store.alarms.put_many([AlarmRow(device=device, kind=1, subject="M1", raised_ms=5000)])
    assert watch.standing() == {device: 1}
    watch.acknowledge(device, kind="lost", subject="M1", raised_ms=5000, by="mia")
    watch.acknowledge(device, kind="lost", subject="M1", raised_ms=5000, by="tom")
    assert watch.standing() == {}
    assert watch.alarms(device)[0].acknowledged_by == "mia"
    for kind, subject, raised in (("lost", "M2", 5000), ("gone", "M1", 5000), ("lost", "M1", 1)):
        with pytest.raises(ConfigError):
            watch.acknowledge(device, kind=kind, subject=subject, raised_ms=raised, by="mia")
