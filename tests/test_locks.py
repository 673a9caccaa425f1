"""The lock files hold every dependency at a version that pyproject.toml allows, with hashes, for every Python."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

WANTED = {
    "requirements.lock": PROJECT["project"]["dependencies"] + EXTRAS["mqtt"] + GROUPS["build"],
    "requirements-dev.lock": PROJECT["project"]["dependencies"] + GROUPS["test"] + GROUPS["peers"] + GROUPS["lint"],
    "requirements-fuzz.lock": PROJECT["project"]["dependencies"] + GROUPS["fuzz"],
}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: str) -> list[Requirement]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return [Requirement(line.rstrip(" \\")) for line in text.splitlines() if line[:1].isalnum()]


@pytest.mark.parametrize("lock", WANTED)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_locked_once_at_an_allowed_version(lock: str, python: str) -> None:
    machine = {"python_version": python, "python_full_version": f"{python}.0", "platform_system": "Linux"}
    machine |= {"sys_platform": "linux", "platform_python_implementation": "CPython", "implementation_name": "cpython"}
    chosen = [one for one in locked(lock) if one.marker is None or one.marker.evaluate(machine)]
    names = [plain(one.name) for one in chosen]
    assert len(names) == len(set(names))
    versions = {plain(one.name): next(iter(one.specifier)).version for one in chosen}
    for wanted in map(Requirement, WANTED[lock]):
        assert plain(wanted.name) in versions, f"{wanted.name} is not in {lock}: run make lock"
        assert versions[plain(wanted.name)] in wanted.specifier, f"{wanted} is not what {lock} holds: run make lock"


@pytest.mark.parametrize("lock", WANTED)
def test_every_locked_package_has_one_exact_version_and_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\w)", text.strip())
    assert len(entries) == len(locked(lock))
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert all(re.match(r"[\w.\-]+(\[[\w,\-]+\])?==[\w.+!]+ ", entry) for entry in entries)


def test_tests_and_the_program_run_on_the_same_versions() -> None:
    runtime = {(plain(one.name), str(one.specifier)) for one in locked("requirements.lock")}
    development = {(plain(one.name), str(one.specifier)) for one in locked("requirements-dev.lock")}
    builders = {plain(Requirement(one).name) for one in GROUPS["build"]} | {"trove-classifiers"}
    assert {row for row in runtime if row[0] not in builders} <= development
