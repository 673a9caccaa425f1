"""Every module with code has its test file at the mirrored place; the exceptions have a reason, and only shrink."""

from __future__ import annotations

from pathlib import Path

import pytest

import mirror


def test_every_module_with_code_has_its_test_file() -> None:
    excused = mirror.exceptions(mirror.EXCEPTIONS.read_text(encoding="utf-8"))
    lacking = [f"{one} → {mirror.mirror_of(Path(one))}" for one in mirror.without_test() if one not in excused]
    assert lacking == []


def test_no_exception_outlives_its_need() -> None:
    excused = mirror.exceptions(mirror.EXCEPTIONS.read_text(encoding="utf-8"))
    assert sorted(set(excused) - set(mirror.without_test())) == [], "run make coverage to drop these"


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("base/obis.py", "tests/base/test_obis.py"),
        ("stacks/dlms/axdr/_fast.py", "tests/stacks/dlms/axdr/test_fast.py"),
        ("cli/__init__.py", "tests/cli/test_cli.py"),
        ("cli/__main__.py", "tests/cli/test_main.py"),
    ],
)
def test_a_module_is_mirrored_at_its_own_place(module: str, test: str) -> None:
    assert mirror.mirror_of(Path(module)).as_posix() == test


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('"""Only words."""\nfrom x import y\n__all__ = ["y"]\n', False),
        ("class Wrong(Exception):\n    'Said.'\n", False),
        ("TABLE = {1: 2}\n", False),
        ("class Engine(Protocol):\n    def encode(self) -> bytes: ...\n", False),
        ("class Frame:\n    def encode(self):\n        return b''\n", True),
        ("async def serve():\n    'Said.'\n    await pump()\n", True),
    ],
)
def test_code_is_what_a_test_can_call(text: str, *, code: bool) -> None:
    assert mirror.has_code(text) is code


def test_a_new_module_without_its_test_is_found(tmp_path: Path) -> None:
    source = tmp_path / "src" / "meterway"
    (source / "base").mkdir(parents=True)
    (source / "base" / "odd.py").write_text("def f():\n    return 1\n")
    assert mirror.without_test(source, tmp_path) == ["base/odd.py"]
    (tmp_path / "tests" / "base").mkdir(parents=True)
    (tmp_path / "tests" / "base" / "test_odd.py").touch()
    assert mirror.without_test(source, tmp_path) == []


def test_an_exception_without_a_reason_is_refused() -> None:
    assert mirror.exceptions("# words\nbase/a.py: a table behind b.py\n") == {"base/a.py": "a table behind b.py"}
    with pytest.raises(ValueError, match=r"base/a\.py: give the reason"):
        mirror.exceptions("base/a.py:\n")
