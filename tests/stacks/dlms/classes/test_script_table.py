"""Scripts and status words read as the norm says."""

from __future__ import annotations

from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed, untyped
from meterway.stacks.dlms.classes.push_setup import RepetitionDelay
from meterway.stacks.dlms.classes.script_table import ScriptAction, Service, actions_of
from meterway.stacks.dlms.classes.status_mapping import MappingTable

STEP = {"service": "execute-method", "class_id": 70, "obis": "0-0:96.3.10", "index": 1, "parameter": {"integer": 0}}


def test_a_script_runs_its_steps_in_order():
    scripts = typed(9, "scripts", untyped(9, "scripts", [{"identifier": 1, "actions": [STEP, STEP]}]))
    step = ScriptAction(
        service=Service.EXECUTE_METHOD, class_id=70, obis=Obis(0, 0, 96, 3, 10, 255), index=1, parameter=0
    )
    assert actions_of(scripts, 1) == (step, step)
    assert actions_of(scripts, 2) is None


def test_a_status_word_maps_to_a_run_of_entries_or_to_one_each():
    assert MappingTable(table=1, entries=16).entry_of(3) == 19
    assert MappingTable(table=1, entries=(4, 9)).entry_of(1) == 9
    assert MappingTable(table=1, entries=(4, 9)).entry_of(2) is None
    data = axdr.structure(axdr.u8(1), axdr.array(axdr.u16(4), axdr.u16(9)))
    assert typed(63, "mapping_table", data) == MappingTable(table=1, entries=(4, 9))


def test_a_repetition_delay_grows_to_its_maximum():
    delay = RepetitionDelay(minimum=10, exponent=200, maximum=60)
    assert [delay.delay_s(retry) for retry in (1, 2, 3, 4)] == [10, 20, 40, 60]
