"""Requirement → tests, read from the ``covers`` marks without running or importing a test.

python tests/coverage_report.py           writes docs/coverage.md
python tests/coverage_report.py --check   ends with 1 if docs/coverage.md is not what it would write
"""

from __future__ import annotations

import ast
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Requirement", "covered", "marks_in", "render", "requirements", "unknown"]

ROOT: Final = Path(__file__).resolve().parent.parent
REPORT: Final = ROOT / "docs" / "coverage.md"
NAMED: Final = 3

_GROUPS: Final = (
    ("E-", "Entities"),
    ("IF-", "Interfaces"),
    ("F", "Functionalities"),
    ("UC-", "Use cases"),
    ("PRI-", "Privacy"),
    ("P", "Physical configurations"),
    ("SEC-", "Security"),
    ("REC-", "Recommendation 2012/148/EU"),
    ("X-", "National features"),
)

_HEAD: Final = """\
# Coverage: requirement → tests

Made by `make coverage` from the `covers` marks of the tests; do not edit. {covered} of {total} rows have a test. A test
in this table shows the row at work; it does not say that nothing is left to do there.

The titles are our own words. *report*: a term of CEN/CLC/ETSI TR 50572 as public sources and standard knowledge give
it; *derived*: our reconstruction, or a testable statement of our own; *law*: a public legal text;
*national*: a feature of a national roll-out that the architecture allows. None is a quotation.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row of docs/requirements.csv."""

    id: str
    label: str
    title: str


def requirements(path: Path = ROOT / "docs" / "requirements.csv") -> dict[str, Requirement]:
    """All rows by id, in their order; ValueError on a duplicate id or an unknown label."""
    rows: dict[str, Requirement] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            requirement = Requirement(**row)
            if requirement.id in rows or requirement.label not in ("report", "derived", "law", "national"):
                raise ValueError(f"{path.name}: {requirement.id}: duplicate id or unknown label")
            rows[requirement.id] = requirement
    return rows


def marks_in(text: str, name: str = "<test>") -> Iterator[tuple[str, str]]:
    """Pairs (test function, requirement id) of one test file; ValueError where an id is not written out."""
    tree = ast.parse(text, name)
    aliases = {
        target.id: ids
        for node in tree.body
        if isinstance(node, ast.Assign) and (ids := _ids_under(node.value, {}, name))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    yield from _tests_of(tree.body, aliases.pop("pytestmark", []), aliases, name)


def _tests_of(
    body: list[ast.stmt], inherited: list[str], aliases: dict[str, list[str]], name: str
) -> Iterator[tuple[str, str]]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        own = [one for decorator in node.decorator_list for one in _ids_under(decorator, aliases, name)]
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests_of(node.body, inherited + own, aliases, name)
        elif node.name.startswith("test_"):
            for one in dict.fromkeys(inherited + own):
                yield node.name, one


def _ids_under(expression: ast.expr, aliases: dict[str, list[str]], name: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(expression):
        if isinstance(node, ast.Name):
            found += aliases.get(node.id, [])
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "covers"):
            continue
        for argument in node.args:
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise ValueError(f"{name}:{argument.lineno}: write the ids of a covers mark out")
            found.append(argument.value)
    return found


def covered(root: Path = ROOT) -> dict[str, dict[Path, list[str]]]:
    """Requirement id → test file (relative to ``root``) → names of its tests, in their order."""
    found: dict[str, dict[Path, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted((root / "tests").rglob("test_*.py")):
        relative = path.relative_to(root)
        for test, one in marks_in(path.read_text(encoding="utf-8"), str(relative)):
            found[one][relative].append(test)
    return found


def unknown(rows: dict[str, Requirement], found: dict[str, dict[Path, list[str]]]) -> list[str]:
    """A complaint for every id that a mark names and the requirements do not have."""
    return [f"{path}: covers({one!r}): no such row" for one in found if one not in rows for path in found[one]]


def render(rows: dict[str, Requirement], found: dict[str, dict[Path, list[str]]]) -> str:
    """The text of docs/coverage.md."""
    parts = [_HEAD.format(covered=sum(one in found for one in rows), total=len(rows))]
    for title, members in _grouped(rows).items():
        parts.append(f"\n## {title}\n\n| row | what | label | tests |\n| --- | --- | --- | --- |\n")
        for row in members:
            tests = (
                "<br>".join(_cell(path, names) for path, names in found[row.id].items()) if row.id in found else "none"
            )
            parts.append(f"| {row.id} | {row.title} | {row.label} | {tests} |\n")
    missing = [row for row in rows.values() if row.id not in found]
    parts.append("\n## Not covered\n\n")
    parts.extend(f"- {row.id}: {row.title}\n" for row in missing)
    if not missing:
        parts.append("Nothing: every row has a test.\n")
    return "".join(parts)


def _grouped(rows: dict[str, Requirement]) -> dict[str, list[Requirement]]:
    groups: dict[str, list[Requirement]] = defaultdict(list)
    for row in rows.values():
        title = next(title for prefix, title in _GROUPS if row.id.startswith(prefix))
        groups[title].append(row)
    return groups


def _cell(path: Path, names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    told = ", ".join(name.removeprefix("test_").replace("_", " ") for name in unique[:NAMED])
    rest = f" and {len(unique) - NAMED} more" if len(unique) > NAMED else ""
    return f"[{path.relative_to('tests').as_posix()}](../{path.as_posix()}): {told}{rest}"


def main(arguments: list[str]) -> int:
    """Write or check the report; the exit status."""
    rows, found = requirements(), covered()
    complaints = unknown(rows, found)
    if complaints:
        print("\n".join(complaints))
        return 1
    text = render(rows, found)
    if "--check" in arguments:
        current = REPORT.read_text(encoding="utf-8") if REPORT.is_file() else ""
        if current != text:
            print("docs/coverage.md is not up to date: run make coverage")
            return 1
        return 0
    REPORT.write_text(text, encoding="utf-8")
    print(f"docs/coverage.md: {sum(one in found for one in rows)} of {len(rows)} rows have a test")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
