"""The coverage report names every mark, knows every row, and stands in docs as it would be written now."""

from __future__ import annotations

from pathlib import Path

import pytest

import coverage_report

SAMPLE = """
import pytest
pytestmark = pytest.mark.covers("F1a")
reading = pytest.mark.covers("UC-BI-01", "IF-I")

@reading
def test_a_reading_arrives(): ...

@pytest.mark.covers("SEC-04")
class TestCipher:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.covers("SEC-05"))])
    async def test_a_counter_rises(self, x): ...

def test_plain(): ...
def helper(): ...
"""


def test_marks_are_found_on_functions_classes_modules_parameters_and_by_name() -> None:
    assert sorted(coverage_report.marks_in(SAMPLE)) == [
        ("test_a_counter_rises", "F1a"),
        ("test_a_counter_rises", "SEC-04"),
        ("test_a_counter_rises", "SEC-05"),
        ("test_a_reading_arrives", "F1a"),
        ("test_a_reading_arrives", "IF-I"),
        ("test_a_reading_arrives", "UC-BI-01"),
        ("test_plain", "F1a"),
    ]


def test_a_mark_whose_id_is_computed_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"test_x\.py:2: write the ids"):
        list(coverage_report.marks_in("import pytest\n@pytest.mark.covers(ID)\ndef test_a(): ...\n", "test_x.py"))


def test_a_row_without_a_test_is_plainly_listed_and_one_with_many_is_cut_short() -> None:
    rows = coverage_report.requirements()
    tests = [f"test_number_{number}" for number in range(5)]
    text = coverage_report.render(rows, {"F1a": {Path("tests/base/test_obis.py"): tests}})
    covered, missing = text.split("## Not covered")
    link = "[base/test_obis.py](../tests/base/test_obis.py): number 0, number 1, number 2 and 2 more"
    assert f"| F1a | {rows['F1a'].title} | report | {link} |" in covered
    assert "- F1a:" not in missing
    assert f"- IF-N: {rows['IF-N'].title}\n" in missing
    assert f"1 of {len(rows)} rows" in covered


def test_an_unknown_id_is_named_with_its_file() -> None:
    found = {"UC-XX-99": {Path("tests/test_x.py"): ["test_a"]}}
    assert coverage_report.unknown(coverage_report.requirements(), found) == [
        "tests/test_x.py: covers('UC-XX-99'): no such row"
    ]


def test_a_duplicate_row_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "requirements.csv"
    table.write_text("id,label,title\nF1,report,a\nF1,report,b\n")
    with pytest.raises(ValueError, match="F1: duplicate"):
        coverage_report.requirements(table)


def test_reconstructed_interfaces_are_never_labelled_as_the_report() -> None:
    rows = coverage_report.requirements()
    assert {rows[one].label for one in ("IF-N", "IF-G1", "IF-I", "F3a", "UC-BI-01", "P1", "SEC-04")} == {"derived"}


def test_every_mark_names_a_row_and_the_report_in_docs_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage_report.main(["--check"]) == 0, capsys.readouterr().out
