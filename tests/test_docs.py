"""The reference names every command, every setting and every error; the links of the docs lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import meterway.base.errors
import reference_pages
from meterway.mapping.drivers.schema import parse_driver
from meterway.mapping.profile import load_profile

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))


def test_the_reference_pages_are_up_to_date() -> None:
    # In a process of its own: a command of click keeps the help option of whoever called it first.
    command = (sys.executable, reference_pages.__file__, "--check")
    check = subprocess.run(command, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr


def test_every_error_of_the_tree_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    assert [name for name in meterway.base.errors.__all__ if f"| `{name}` |" not in page] == []


def test_every_setting_is_described_with_type_default_and_meaning(tmp_path: Path) -> None:
    room = tmp_path / "meter"
    room.mkdir()
    (room / "config.py").write_text(
        'class MeterConfig:\n    """One meter."""\n    serial: str\n    """1 to 16\n    letters."""\n'
        "    kind: str | None = None\n    _hidden: int = 0\n"
    )
    page = reference_pages.settings(tmp_path)
    assert page.startswith("\n## meter\n\n### MeterConfig\n\nOne meter.\n")
    assert "| `serial` | `str` | required | 1 to 16 letters. |\n" in page
    assert "| `kind` | `str \\| None` | `None` |  |\n" in page
    assert "_hidden" not in page


def test_prose_above_the_marker_is_kept_and_the_rest_is_made_anew() -> None:
    page = reference_pages.joined("# Errors\n\nOurs.\n\n", "one")
    assert reference_pages.joined(page, "two") == f"# Errors\n\nOurs.\n\n{reference_pages.MARKER}two"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_repository_leads_to_a_file(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", text)
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_every_place_the_architecture_names_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    places = [place for place in re.findall(r"`([\w/.]+/[\w/.]*)`", text) if not place.startswith(("src/", "tests/"))]
    assert len(places) > 30
    assert [place for place in places if not (ROOT / "src/meterway" / place).exists()] == []


def test_the_driver_of_the_how_to_is_one() -> None:
    text = (ROOT / "docs/how-to/decode-a-telegram.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert parse_driver(example, "example").title == "A water meter with months"


def test_the_companion_profile_of_the_how_to_loads(tmp_path: Path) -> None:
    text = (ROOT / "docs/how-to/companion-profile.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "harbour.toml").write_text(example, encoding="utf-8")
    (tmp_path / "harbour.csv").write_text("log,code,name,title,severity\nstandard,200,high,High tide,warning\n")
    found = load_profile(str(tmp_path / "harbour.toml"))
    assert found.title == "Harbour meter"
    assert found.association(7) is not None
    assert found.event("standard", 200).title == "High tide"


def test_every_module_in_the_table_of_norms_exists() -> None:
    text = (ROOT / "docs/norms/README.md").read_text(encoding="utf-8")
    modules = re.findall(r"\| `([\w/.]+)` \|", text)
    assert len(modules) > 5
    assert [module for module in modules if not (ROOT / "src/meterway" / module).exists()] == []
