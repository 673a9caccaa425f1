from meterway.headend.traffic import InterfaceTraffic
from meterway.town.configurations.summary import ConfigurationSummary, merged


def row(label: str, *, entities: int = 1, octets: int = 10) -> InterfaceTraffic:
    return InterfaceTraffic(label=label, between="a – b", entities=entities, sessions=1, octets=octets)


def test_what_several_tell_of_one_interface_is_one_row() -> None:
    found = merged([row("I", octets=0), row("G1", entities=2), row("M"), row("G1", octets=5)])
    assert [(one.label, one.entities, one.sessions, one.octets) for one in found] == [
        ("G1", 2, 2, 15),
        ("M", 1, 1, 10),
    ]


def test_a_summary_is_plain_json_and_a_table() -> None:
    summary = ConfigurationSummary(
        configuration="P1",
        title="direct",
        meters=1,
        read=1,
        values=2,
        completeness=None,
        seconds=1.0,
        values_per_s=2.0,
        p50_ms=1.0,
        p95_ms=1.0,
        failures={"link": 1},
        octets=10,
        events=0,
        displays=0,
        telegrams=0,
        interfaces=(row("I"),),
    )
    told = summary.as_json()
    assert told["interfaces"] == [{"label": "I", "between": "a – b", "entities": 1, "sessions": 1, "octets": 10}]
    assert told["completeness"] is None
    rows = dict(summary.rows())
    assert rows["completeness"] == "no history yet"
    assert rows["failures"] == "link 1"
    assert "10 octets" in rows["interface I"]
