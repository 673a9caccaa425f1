from dataclasses import replace

from meterway.town.summary import Summary

SUMMARY = Summary(
    meters=10,
    read=9,
    values=1000,
    completeness=0.9,
    seconds=2.0,
    values_per_s=500.0,
    p50_ms=10.0,
    p95_ms=20.0,
    failures={"timeout": 1},
    octets=5,
    events=3,
    displays=1,
    telegrams=4,
)


def test_the_table_tells_every_failure_by_its_cause():
    rows = dict(SUMMARY.rows())
    assert rows["failures"] == "timeout 1"
    assert rows["completeness"] == "90.00%"
    assert rows["read"] == "9"


def test_a_town_is_whole_when_its_homes_are_too():
    assert not SUMMARY.is_whole
    whole = replace(SUMMARY, read=10, homes=1, home_devices=4, home_devices_read=4)
    assert whole.is_whole
    assert dict(whole.rows())["read in homes"] == "4 of 4"
    assert not replace(whole, home_devices_read=3).is_whole


def test_what_is_left_out_is_told():
    rows = dict(replace(SUMMARY, left_out=("H2: no broker",)).rows())
    assert rows["left out"] == "H2: no broker"
    assert "left out" not in dict(SUMMARY.rows())


def test_machines_get_plain_numbers():
    assert SUMMARY.as_json()["values_per_s"] == 500.0
    assert SUMMARY.as_json()["failures"] == {"timeout": 1}
