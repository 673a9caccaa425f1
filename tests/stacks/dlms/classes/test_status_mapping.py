"""The bits of a status word map to entries of a reference table."""

from __future__ import annotations

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.status_mapping import MappingTable


def test_a_status_word_maps_to_a_run_of_entries_or_to_one_each():
    assert MappingTable(table=1, entries=16).entry_of(3) == 19
    assert MappingTable(table=1, entries=(4, 9)).entry_of(1) == 9
    assert MappingTable(table=1, entries=(4, 9)).entry_of(2) is None
    data = axdr.structure(axdr.u8(1), axdr.array(axdr.u16(4), axdr.u16(9)))
    assert typed(63, "mapping_table", data) == MappingTable(table=1, entries=(4, 9))
