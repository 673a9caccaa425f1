"""Rules of the house that no linter knows. Run as a program, it prints every breach and ends with 1 if there is one."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["FORBIDDEN_NAMES", "MAX_LINES", "ROOT", "breaches", "forbidden_text", "module_breaches", "tracked"]

ROOT: Final = Path(__file__).resolve().parent.parent
MAX_LINES: Final = 600
FORBIDDEN_NAMES: Final = frozenset({"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"})

# Where packages are downloaded from is the user's choice: pip, apt and npm are configured, never told by a file here.
# In two halves each, so that this file does not break its own rule.
_HOSTS: Final = tuple(
    "".join(halves)
    for halves in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("debian", ".org"),
        ("npmjs", ".org"),
        ("npmjs", ".com"),
        ("crates", ".io"),
        ("proxy.go", "lang.org"),
        ("maven", ".org"),
        ("jsdel", "ivr.net"),
        ("unp", "kg.com"),
        ("cdn", "js.cloudflare.com"),
        ("fonts.google", "apis.com"),
        ("raw.github", "usercontent.com"),
    )
)
_WORKPLACE: Final = ("/work" + "/main", "/work" + "/shared", "/work" + "/.library")
_NO_URL_AT_ALL: Final = ("Makefile", "pyproject.toml", ".ci/run", "requirements")


def tracked(root: Path = ROOT) -> list[Path]:
    """Every file that git keeps or would keep, relative to ``root``."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted(Path(name) for name in set(listed.split("\0")) if name and (root / name).is_file())


def forbidden_text(path: Path, text: str) -> Iterator[str]:
    """A complaint per line of ``text`` that names a download host or a path of somebody's machine."""
    strict = str(path).startswith(_NO_URL_AT_ALL)
    for number, line in enumerate(text.splitlines(), 1):
        named = [host for host in (*_HOSTS, *_WORKPLACE) if host in line]
        if named:
            yield f"{path}:{number}: names {named[0]}"
        elif strict and "://" in line:
            yield f"{path}:{number}: names an address; what is installed must not depend on one"


def module_breaches(path: Path, text: str) -> Iterator[str]:
    """A complaint per rule that one module of ``src`` breaks."""
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield f"{path}: {lines} lines, at most {MAX_LINES}: several rooms behind one door"
    named = FORBIDDEN_NAMES.intersection((*path.parts[:-1], path.stem))
    if named:
        yield f"{path}: {', '.join(sorted(named))!r} says nothing; name what is inside"
    tree = ast.parse(text, str(path))
    if ast.get_docstring(tree) is None:
        yield f"{path}: no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield f"{path}:{node.lineno}: wildcard import"


def breaches(root: Path = ROOT) -> list[str]:
    """Every breach in the tree."""
    found: list[str] = []
    for path in tracked(root):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found.extend(forbidden_text(path, text))
        if path.parts[0] == "src" and path.suffix == ".py":
            found.extend(module_breaches(path, text))
    return found


if __name__ == "__main__":
    complaints = breaches()
    print("\n".join(complaints) or "House rules kept.")
    sys.exit(bool(complaints))
