"""The XML of a report is read piece by piece, within bounds, and says where it goes wrong."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from meterway.base.errors import DecodeError
from meterway.model import report_xml
from meterway.model.report import decode_report
from meterway.model.report_xml import read_report

pytestmark = pytest.mark.covers("SEC-11", "IF-G2")

ZEROS = "0" * 16
HEAD = (
    f"<report xmlns='urn:meterway:report:1' id='NNAP-000001' nnap='N' system_title='{ZEROS}'"
    " created='1' from='1' to='1'>"
)
METER = f"<meter serial='M' system_title='{ZEROS}' profile='1-0:99.1.0*255' period_s='900'>"
COLUMN = "<column class='3' obis='1-0:1.8.0*255' attribute='2' scaler='0' unit='30'>"


def read(text: str) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    parts: list[tuple[str, dict[str, Any]]] = []
    return read_report(text.encode(), lambda kind, part: parts.append((kind, part))), parts


@pytest.mark.parametrize("chunk", [1, 3, 7, 1 << 16])
def test_numbers_are_whole_wherever_a_piece_ends(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_xml, "_CHUNK", chunk)
    lists = f"<times> 900\n1800 2700</times><status>0 1 2</status>{COLUMN}11 -12 1300</column>"
    text = f"{HEAD}{METER}{lists}</meter></report>"
    attributes, ((kind, meter),) = read(text)
    assert (attributes["created"], kind, meter["period_s"]) == (1, "meter", 900)
    assert (meter["times"], meter["status"], meter["values"]) == ([900, 1800, 2700], [0, 1, 2], [[11, -12, 1300]])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("<!DOCTYPE report [<!ENTITY a 'b'>]>" + HEAD + "</report>", "document type"),
        (HEAD + METER + COLUMN + "<int>1<int>2</int></int></column></meter></report>", "too deep"),
        (HEAD + METER + COLUMN + "12 <int>3</int></column></meter></report>", "beside each other"),
        (HEAD + METER + COLUMN + "<int>3</int> 12</column></meter></report>", "beside each other"),
        (HEAD + METER + "word<times>1</times></meter></report>", "none has a place"),
        (HEAD + METER + "<times>1</times><times>2</times></meter></report>", "no place in a meter"),
        (HEAD + METER + "<times>1_0</times></meter></report>", "no number"),
        (HEAD + METER + "<times>" + "1" * 5000 + "</times></meter></report>", "more than"),
        (HEAD + METER + COLUMN + "<text>" + "a" * 5000 + "</text></column></meter></report>", "more than"),
        ("<report/>", "is not of"),
        (HEAD, "no element found"),
    ],
)
def test_what_is_no_report_is_refused(text: str, word: str) -> None:
    with pytest.raises(DecodeError, match=word):
        read(text)


def test_a_part_that_makes_no_sense_is_named_with_its_place() -> None:
    good = METER + "<times>1</times><status></status></meter>"
    with pytest.raises(DecodeError, match=r"meters\[1\].*times"):
        decode_report((HEAD + good + METER + "<times>-1</times><status/></meter></report>").encode(), xml=True)
    with pytest.raises(DecodeError, match="'stranger' has no place"):
        decode_report((HEAD + "<stranger/></report>").encode(), xml=True)


@pytest.mark.parametrize("bound", ["MOST_VALUES", "MOST_PARTS"])
def test_values_and_parts_are_bounded(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_xml, bound, 20)
    text = {
        "MOST_VALUES": METER + COLUMN + "1 " * 10 + "</column>" + COLUMN + "<null/>" * 11 + "</column></meter>",
        "MOST_PARTS": "<node/>" * 21,
    }[bound]
    with pytest.raises(DecodeError, match="more than 20"):
        read(HEAD + text + "</report>")


@pytest.mark.parametrize(
    "filling",
    [
        METER + "<times>1</times><status></status>" + COLUMN + "<null/>" * 300_000 + "</column></meter>",
        METER + "<times>" + "1 " * 1_000_000 + "</times><status/></meter>",
        f"<node serial='N' system_title='{ZEROS}' eui='{ZEROS}' address='1' state='member' hops='1'/>" * 20_000,
    ],
    ids=["elements", "numbers", "parts"],
)
def test_reading_takes_a_few_times_the_octets_at_most(filling: str) -> None:
    """Two megabytes each; a tree of the elements takes six times and more."""
    octets = (HEAD + filling + "</report>").encode()
    tracemalloc.start()
    try:
        decode_report(octets, xml=True)
    except DecodeError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 10 * len(octets)
