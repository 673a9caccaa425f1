import json

import pytest

from command_line import meterway

FIGURES = {
    "meters", "read", "values", "completeness", "seconds", "values_per_s", "p50_ms", "p95_ms", "failures",
}  # fmt: skip


@pytest.mark.covers("UC-BI-01", "IF-I", "IF-H1", "F1a", "P1", "P10", "E-MED", "E-HES", "E-SECD")
def test_a_town_is_started_read_and_summed_up_in_one_json_object(tmp_path):
    done = meterway("demo", "--meters", "10", "--displays", "2", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert set(summary) >= FIGURES
    assert (summary["meters"], summary["read"], summary["failures"]) == (10, 10, {})
    assert summary["values"] > 10 * 35 * 96 * 4 * 0.95
    assert summary["completeness"] > 0.95


def test_without_a_terminal_it_ends_with_the_summary_as_text(tmp_path):
    done = meterway("demo", "--meters", "2", "--displays", "0", cwd=tmp_path)
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "First collection" in text
    assert "completeness" in text
    assert "Traceback" not in text + done.stderr.decode()


def test_a_town_needs_at_least_one_meter(tmp_path):
    assert meterway("demo", "--meters", "0", cwd=tmp_path).returncode == 2
