"""Metrics for Prometheus, read from the head end's own counters at each scrape."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from meterway.headend.api import Views
from meterway.headend.serve import HeadEnd

__all__ = ["Metrics"]

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class _Durations:
    """A histogram of session durations, taken from the collector's last ones since it was last asked."""

    def __init__(self) -> None:
        self._seen = 0
        self._counts = [0] * (len(_BUCKETS_S) + 1)
        self._sum_s = 0.0

    def take(self, head_end: HeadEnd) -> None:
        """Count what is new; ``ok`` sessions and their durations are noted in one step of the loop."""
        progress = head_end.collector.progress
        new = progress.causes["ok"] - self._seen
        self._seen = progress.causes["ok"]
        kept = progress.durations_s
        for seconds in islice(kept, max(0, len(kept) - new), None):
            self._counts[bisect_left(_BUCKETS_S, seconds)] += 1
            self._sum_s += seconds

    def metric(self) -> Metric:
        """The histogram; its buckets add up, as Prometheus wants them."""
        bounds = [*(f"{bound:g}" for bound in _BUCKETS_S), "+Inf"]
        family = HistogramMetricFamily("meterway_session_seconds", "Time of sessions that were read to their end")
        family.add_metric([], buckets=list(zip(bounds, accumulate(self._counts), strict=True)), sum_value=self._sum_s)
        return family


class Metrics(Collector):
    """All metrics of one head end. It blocks on the store for the states of the meters only."""

    def __init__(self, head_end: HeadEnd, views: Views) -> None:
        self._hes = head_end
        self._views = views
        self._durations = _Durations()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def note(self) -> None:
        """Take in the newest durations; called on the loop, where they are noted."""
        self._durations.take(self._hes)

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing: names are told with the values."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family, with its values now."""
        progress, live, push = self._hes.collector.progress, self._hes.live, self._hes.push
        yield _labelled("meterway_sessions", "Collections by result", "cause", dict(progress.causes))
        yield _counted("meterway_values", "Values that were stored", progress.values)
        yield _counted("meterway_events", "New events that were stored", progress.events)
        yield _counted("meterway_pushes", "Pushes that were understood", push.count)
        yield _labelled("meterway_pushes_refused", "Pushes that were refused", "cause", dict(push.refused))
        refused = progress.causes["store"] + push.refused["store"] + live.counts["audit-failed"]
        yield _counted("meterway_store_errors", "Times the store refused what was to be kept", refused)
        yield _labelled("meterway_happenings", "What happened, by kind", "kind", dict(live.counts))
        yield self._durations.metric()
        yield from self._interfaces()
        yield from self._meters()

    def _interfaces(self) -> Iterator[Metric]:
        sessions = CounterMetricFamily("meterway_interface_sessions", "Sessions on an interface", labels=["interface"])
        octets = CounterMetricFamily("meterway_interface_octets", "Octets over an interface", labels=["interface"])
        for row in self._views.traffic():
            sessions.add_metric([row.label], row.sessions)
            octets.add_metric([row.label], row.octets)
        yield sessions
        yield octets

    def _meters(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("meterway_meters", "Meters in the registry, by state", labels=["state"])
        for state, count in self._hes.store.devices.states().items():
            states.add_metric([state], count)
        yield states
        yield GaugeMetricFamily("meterway_started_seconds", "When the head end started", value=self._hes.started_s)


def _counted(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family
