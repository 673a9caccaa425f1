"""Metrics for Prometheus."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from meterway.headend.api import Views
from meterway.headend.web.metrics import Metrics


@pytest.fixture
def metrics(head_end):
    return Metrics(head_end, Views(head_end))


def samples(metrics):
    metrics.note()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_sessions_failures_and_values_are_counted(head_end, metrics):
    progress = head_end.collector.progress
    progress.causes.update({"ok": 2, "timeout": 1, "store": 3})
    progress.values = 48
    head_end.push.refused["store"] = 1
    head_end.caller.octets["I"] = 5000
    told = samples(metrics)
    assert told["meterway_sessions_total", "timeout"] == 1
    assert told["meterway_values_total",] == 48
    assert told["meterway_store_errors_total",] == 4
    assert told["meterway_interface_octets_total", "I"] == 5000
    assert told["meterway_meters", "registered"] == 2


def test_a_duration_is_counted_once_however_often_it_is_asked(head_end, metrics):
    progress = head_end.collector.progress
    progress.causes["ok"] = 2
    progress.durations_s.extend([0.02, 0.3])
    samples(metrics)
    progress.causes["ok"] = 3
    progress.durations_s.append(7.0)
    told = samples(metrics)
    assert told["meterway_session_seconds_count",] == 3
    assert told["meterway_session_seconds_sum",] == pytest.approx(7.32)
    assert told["meterway_session_seconds_bucket", "0.025"] == 1
    assert told["meterway_session_seconds_bucket", "10"] == 3


def test_the_address_of_the_metrics_answers_in_prometheus_format(http):
    answer = http.get("/metrics")
    assert answer.headers["content-type"].count("charset") == 1
    assert "meterway_started_seconds" in answer.text
