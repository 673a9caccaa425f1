"""The house stands: imports only go down, rooms stay small, names say something, nothing names a download host."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import house_rules


def test_imports_only_go_down() -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program, "import-linter is not installed beside this Python: make test installs it"
    done = subprocess.run([program, "--no-logo"], cwd=house_rules.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_tree_keeps_the_rules_of_the_house() -> None:
    assert house_rules.breaches() == []


# Alembic finds its migrations by their folder; they are no package.
NO_PACKAGE = {"store/schema/versions"}


def test_every_package_under_src_is_a_package_with_its_own_docstring() -> None:
    source = house_rules.ROOT / "src" / "meterway"
    folders = {path.parent for path in source.rglob("*.py")}
    folders -= {source / name for name in NO_PACKAGE}
    missing = [str(folder.relative_to(source)) for folder in folders if not (folder / "__init__.py").is_file()]
    assert sorted(missing) == []


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("src/meterway/base/utils.py", '"""Doc."""\n', "'utils' says nothing"),
        ("src/meterway/common/thing.py", '"""Doc."""\n', "'common' says nothing"),
        ("src/meterway/base/thing.py", "x = 1\n", "no docstring"),
        ("src/meterway/base/thing.py", '"""Doc."""\nfrom os import *\n', "wildcard import"),
        ("src/meterway/base/thing.py", '"""Doc."""\n' + "x = 1\n" * house_rules.MAX_LINES, "at most 600"),
    ],
)
def test_a_module_that_breaks_a_rule_is_named(path: str, text: str, complaint: str) -> None:
    found = list(house_rules.module_breaches(Path(path), text))
    assert len(found) == 1
    assert path in found[0]
    assert complaint in found[0]


def test_a_module_that_keeps_the_rules_is_not_named() -> None:
    text = '"""Doc."""\n\nfrom os import path\n'
    assert list(house_rules.module_breaches(Path("src/meterway/base/octets.py"), text)) == []


def test_a_download_host_is_found_anywhere_and_any_address_in_a_lock_file() -> None:
    host = "files.python" + "hosted.org"
    assert list(house_rules.forbidden_text(Path("docs/a.md"), f"x\nsee {host}\n")) == [f"docs/a.md:2: names {host[6:]}"]
    link = "https://example.org/norm"
    assert list(house_rules.forbidden_text(Path("docs/a.md"), link)) == []
    assert len(list(house_rules.forbidden_text(Path("requirements.lock"), link))) == 1
