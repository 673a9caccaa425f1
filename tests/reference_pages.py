"""docs/reference/ from the source: every command, every setting, every error. Prose above the marker line is kept.

python tests/reference_pages.py           writes the pages
python tests/reference_pages.py --check   ends with 1 if a page is not what it would write
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

__all__ = ["MARKER", "commands", "errors", "joined", "main", "settings"]

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src" / "meterway"
PAGES: Final = ROOT / "docs" / "reference"
MARKER: Final = "<!-- From here on made by `make coverage`; write above this line. -->\n"


def commands() -> str:
    """Every command with its arguments and options, from the command line's own tree."""
    root = importlib.import_module("meterway.cli").cli
    if not isinstance(root, click.Command):
        raise TypeError("meterway.cli.cli is not a click command")
    top = click.Context(root, info_name="meterway", **root.context_settings)
    return "".join(_command(context) for context in _walk(top))


def _walk(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from _walk(click.Context(command, info_name=name, parent=context))


def _command(context: click.Context) -> str:
    command = context.command
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    said = (command.help or "").replace("\b\n", "").strip()
    parts = [f"\n## {context.command_path}\n\n`{usage}`\n"]
    if said:
        parts.append(f"\n{said}\n")
    records = [record for one in command.get_params(context) if (record := one.get_help_record(context))]
    if records:
        parts.append("\n| option | what |\n| --- | --- |\n")
        parts += [f"| `{_cell(name)}` | {_cell(what)} |\n" for name, what in records]
    return "".join(parts)


def settings(source: Path = SOURCE) -> str:
    """Every field of the settings classes in the entities' ``config`` rooms."""
    return "".join(
        f"\n## {path.parent.relative_to(source).as_posix()}\n{_described(path)}"
        for path in sorted(source.rglob("config.py"))
    )


def _described(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = []
    for node in tree.body:
        fields = list(_fields(node)) if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else []
        if isinstance(node, ast.ClassDef) and fields:
            parts.append(f"\n### {node.name}\n\n{ast.get_docstring(node) or ''}\n")
            parts.append("\n| key | type | default | what |\n| --- | --- | --- | --- |\n")
            parts += fields
    return "".join(parts)


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for place, statement in enumerate(node.body):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        if statement.target.id.startswith("_") or "ClassVar" in ast.unparse(statement.annotation):
            continue
        default = f"`{_cell(ast.unparse(statement.value))}`" if statement.value else "required"
        follows = node.body[place + 1] if place + 1 < len(node.body) else None
        said = ""
        if isinstance(follows, ast.Expr) and isinstance(follows.value, ast.Constant):
            said = _cell(str(follows.value.value))
        kind = _cell(ast.unparse(statement.annotation))
        yield f"| `{statement.target.id}` | `{kind}` | {default} | {said} |\n"


def errors(source: Path = SOURCE) -> str:
    """Every exception of our own: what it is a kind of, and what it says."""
    parts = ["\n| error | is a | what |\n| --- | --- | --- |\n"]
    for path in sorted(source.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                continue
            bases = [ast.unparse(base) for base in node.bases]
            if any(base.endswith(("Error", "Exception")) for base in bases):
                said = _cell((ast.get_docstring(node) or "").split("\n\n")[0])
                parts.append(f"| `{node.name}` | {', '.join(f'`{base}`' for base in bases)} | {said} |\n")
    return "".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def joined(prose: str, made: str) -> str:
    """A page: its prose up to the marker, then what was made."""
    return prose.partition(MARKER)[0] + MARKER + made


def main(arguments: list[str]) -> int:
    """Write or check the pages; the exit status."""
    makers: dict[str, Callable[[], str]] = {"commands": commands, "configuration": settings, "errors": errors}
    stale = []
    for name, make in makers.items():
        page = PAGES / f"{name}.md"
        current = page.read_text(encoding="utf-8")
        text = joined(current, make())
        if text != current:
            stale.append(page.name)
            if "--check" not in arguments:
                page.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"docs/reference: {', '.join(stale)} not up to date: run make coverage")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
