"""Which modules of src/ lack the test file that mirrors them. Run as a program, it writes the exceptions anew.

python tests/mirror.py     drops what is no longer needed from tests/mirror_exceptions.txt, adds nothing
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

__all__ = ["EXCEPTIONS", "exceptions", "has_code", "mirror_of", "without_test"]

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src" / "meterway"
EXCEPTIONS: Final = ROOT / "tests" / "mirror_exceptions.txt"


def has_code(text: str) -> bool:
    """True where a module defines a function or a method that does something: code that a test can call."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(not _only_words(node.body[-1]) for node in functions)


def _only_words(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def mirror_of(module: Path) -> Path:
    """Where the test of ``stacks/dlms/framing.py`` stands; a package's own code: ``test_<package>.py`` in it."""
    name = module.parent.name if module.stem == "__init__" else module.stem.strip("_")
    return Path("tests") / module.parent / f"test_{name}.py"


def without_test(source: Path = SOURCE, root: Path = ROOT) -> list[str]:
    """Modules with code, relative to ``source``, that have no mirrored test file."""
    return sorted(
        module.relative_to(source).as_posix()
        for module in source.rglob("*.py")
        if has_code(module.read_text(encoding="utf-8")) and not (root / mirror_of(module.relative_to(source))).is_file()
    )


def exceptions(text: str) -> dict[str, str]:
    """Module → reason, from lines ``module: reason``; ValueError where a reason is missing."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        module, _, reason = line.partition(":")
        if not reason.strip():
            raise ValueError(f"{module}: give the reason why it has no mirrored test")
        found[module.strip()] = reason.strip()
    return found


def _main() -> None:
    missing = set(without_test())
    lines = EXCEPTIONS.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.startswith("#") or line.partition(":")[0].strip() in missing]
    EXCEPTIONS.write_text("".join(kept), encoding="utf-8")


if __name__ == "__main__":
    _main()
