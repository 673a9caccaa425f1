"""Script table: numbered lists of attribute writes and method calls (class 9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes.model import declare, method, static
from meterway.stacks.dlms.classes.types import ANY, INTEGER, LONG_UNSIGNED, OBIS, array, enumerated, structure

__all__ = ["CLASSES", "Script", "ScriptAction", "Service", "actions_of"]


class Service(IntEnum):
    """What a script's action does."""

    WRITE_ATTRIBUTE = 1
    EXECUTE_METHOD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptAction:
    """One step of a script: write ``parameter`` to the attribute ``index``, or call the method ``index`` with it."""

    service: int
    class_id: int
    obis: Obis
    index: int
    parameter: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script: its number and its steps in order."""

    identifier: int
    actions: tuple[ScriptAction, ...]


def actions_of(scripts: tuple[Script, ...], identifier: int) -> tuple[ScriptAction, ...] | None:
    """The steps that ``execute(identifier)`` runs, in order; None if the table has no such script (a refusal)."""
    return next((script.actions for script in scripts if script.identifier == identifier), None)


_ACTION = structure(ScriptAction, enumerated(Service), LONG_UNSIGNED, OBIS, INTEGER, ANY)

CLASSES = (
    declare(
        9,
        0,
        "Script table",
        attributes=(static("scripts", array(structure(Script, LONG_UNSIGNED, array(_ACTION)))),),
        methods=(method("execute", LONG_UNSIGNED),),
    ),
)
