"""Bulk reports: JSON and XML of one schema, and what is not a report."""

import json
import subprocess

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.model.report import (
    Alarm,
    Balance,
    Column,
    Missing,
    Node,
    Receipt,
    Report,
    ReportEvent,
    Series,
    decode_receipt,
    decode_report,
    encode_receipt,
    encode_report,
    report_schema,
    report_xsd,
)

pytestmark = pytest.mark.covers("IF-G2")

TITLE = "4d57590000000001"


def series(**changes):
    fields = {
        "serial": "MWY001",
        "system_title": TITLE,
        "profile": "1-0:99.1.0*255",
        "period_s": 900,
        "columns": [
            Column(class_id=3, obis="1-0:1.8.0*255", attribute=2, scaler=0, unit=30),
            Column(class_id=1, obis="0-0:96.1.0*255", attribute=2),
        ],
        "times": [1_790_000_100, 1_790_001_000],
        "status": [0, 8],
        "values": [[12345, 12400], ["a<&>b", None]],
    }
    return Series(**{**fields, **changes})


def report(**changes):
    fields = {
        "id": "NNAP0001-000017",
        "nnap": "NNAP0001",
        "system_title": TITLE,
        "created": 1_790_003_600,
        "from_": 1_790_000_000,
        "to": 1_790_003_600,
        "meters": [series()],
        "events": [ReportEvent(serial="MWY001", system_title=TITLE, time=1_790_000_005, log="0-0:99.98.0*255", code=2)],
        "topology": [
            Node(serial="MWY001", system_title=TITLE, eui=TITLE, address=7, state="member", hops=2, quality=98),
            Node(
                serial="H1",
                system_title=TITLE,
                eui=TITLE,
                address=8,
                state="member",
                role="home",
                name="4d2d31",
            ),
        ],
        "balances": [
            Balance(
                day=1_789_948_800,
                revision=2,
                judged=1_790_040_000,
                period_s=900,
                intervals=96,
                complete=90,
                given=123_456,
                taken=-5,
                low=-20,
                high=60,
                verdict="beyond",
                lacking=2,
                missing=[Missing(serial="MWY<1>", intervals=6), Missing(serial="MWY2", intervals=1)],
            )
        ],
        "alarms": [Alarm(kind="branch", subject="MWY001", raised=1_790_000_100, count=4, text="4 nodes behind it")],
    }
    return Report(**{**fields, **changes})


@pytest.mark.parametrize("xml", [False, True])
def test_a_report_comes_back_as_it_went(xml):
    assert decode_report(encode_report(report(), xml=xml), xml=xml) == report()


RAW = st.none() | st.integers(-(1 << 62), 1 << 62) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(st.integers(0, 1 << 32), st.integers(0, 255), RAW, RAW), max_size=6))
def test_rows_of_any_values_come_back_from_both_forms(rows):
    columns = [[row[place] for row in rows] for place in range(4)]
    one = report(meters=[series(times=columns[0], status=columns[1], values=columns[2:])])
    assert decode_report(encode_report(one)) == one
    assert decode_report(encode_report(one, xml=True), xml=True) == one


def test_the_json_is_what_its_schema_says_and_a_wrong_one_is_not():
    plain = json.loads(encode_report(report()))
    assert plain["from"] == 1_790_000_000
    assert plain["meters"][0]["columns"][0]["class"] == 3
    schema = jsonschema_rs.validator_for(report_schema())
    schema.validate(plain)
    plain["meters"][0]["times"][0] = "yesterday"
    with pytest.raises(jsonschema_rs.ValidationError):
        schema.validate(plain)


@pytest.mark.needs("xmllint")
def test_the_xml_is_what_its_schema_says_and_a_wrong_one_is_not(program, tmp_path):
    schema, file = tmp_path / "report.xsd", tmp_path / "report.xml"
    schema.write_text(report_xsd())

    def verdict(octets):
        file.write_bytes(octets)
        command = [program("xmllint"), "--noout", "--nonet", "--schema", schema, file]
        return subprocess.run(command, capture_output=True, timeout=60).returncode

    octets = encode_report(report(), xml=True)
    assert verdict(octets) == 0
    for right, wrong in ((b"1790000100", b"yesterday"), (b'state="member"', b'state="gone"'), (b"<null", b"<none"),
                         (b'verdict="beyond"', b'verdict="theft"'), (b'kind="branch"', b'kind="leaf"')):  # fmt: skip
        assert right in octets
        assert verdict(octets.replace(right, wrong)) == 3  # xmllint: not valid


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff\xfe",
        b"<",
        b"<report/>",
        b"<!DOCTYPE report [<!ENTITY a 'b'>]><report xmlns='urn:meterway:report:1'>&a;</report>",
        b"<report xmlns='urn:meterway:report:1'/>",
        encode_report(report(), xml=True).replace(b"1790001000", b"x"),
        encode_report(report(), xml=True).replace(b"1790001000", b""),
        encode_report(report(), xml=True).replace(b"<meter ", b"<meter colour='red' "),
        encode_report(report(), xml=True).replace(b"<missing ", b"<verdict "),
        encode_report(report(), xml=True).replace(b"<missing ", b"<lost "),
        encode_report(report(), xml=True).replace(b'given="123456"', b'given="99999999999999999999"'),
    ],
)
def test_what_is_no_report_in_xml_is_refused(octets):
    with pytest.raises(DecodeError):
        decode_report(octets, xml=True)


@pytest.mark.parametrize(
    "octets", [b"", b"{}", b"\xff", b"[]", encode_report(report()).replace(b"1790001000", b"1e3.")]
)
def test_what_is_no_report_in_json_is_refused(octets):
    with pytest.raises(DecodeError):
        decode_report(octets)


@given(st.binary(max_size=200), st.integers(0, 2000), st.booleans())
def test_damaged_reports_are_refused_or_are_reports(junk, place, xml):
    octets = encode_report(report(), xml=xml)
    damaged = octets[: place % len(octets)] + junk + octets[place % len(octets) :]
    for one in (junk, damaged):
        try:
            found = decode_report(one, xml=xml)
        except DecodeError:
            continue
        assert isinstance(found, Report)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="as many values"):
        series(values=[[1], [2]])
    with pytest.raises(ValueError, match="one status"):
        series(status=[0])
    plain = msgspec.to_builtins(report())
    plain["meters"][0]["values"] = [[1], [2]]
    with pytest.raises(DecodeError, match="as many values"):
        decode_report(msgspec.json.encode(plain))


def test_a_receipt_comes_back_and_anything_else_is_refused():
    receipt = Receipt(id="NNAP0001-000017", result="duplicate")
    assert decode_receipt(encode_receipt(receipt)) == receipt
    for octets in (b"", b"{}", b'{"id": "a", "result": "eaten"}', b"\xff"):
        with pytest.raises(DecodeError):
            decode_receipt(octets)
