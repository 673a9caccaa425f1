"""Scripts read as the norm says."""

from __future__ import annotations

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes import typed, untyped
from meterway.stacks.dlms.classes.script_table import ScriptAction, Service, actions_of

STEP = {"service": "execute-method", "class_id": 70, "obis": "0-0:96.3.10", "index": 1, "parameter": {"integer": 0}}


def test_a_script_runs_its_steps_in_order():
    scripts = typed(9, "scripts", untyped(9, "scripts", [{"identifier": 1, "actions": [STEP, STEP]}]))
    step = ScriptAction(
        service=Service.EXECUTE_METHOD, class_id=70, obis=Obis(0, 0, 96, 3, 10, 255), index=1, parameter=0
    )
    assert actions_of(scripts, 1) == (step, step)
    assert actions_of(scripts, 2) is None
