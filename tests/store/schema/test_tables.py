"""What is true of every table."""

import pytest
from sqlalchemy import BigInteger, Table

from meterway.store.schema.tables import METADATA

TABLES = list(METADATA.tables.values())


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_a_row_has_a_key_and_its_times_hold_milliseconds_far_beyond_2038(table: Table) -> None:
    assert len(table.primary_key.columns) > 0
    for column in table.columns:
        if column.name.endswith("_ms"):
            assert isinstance(column.type, BigInteger), column


def test_every_reference_to_a_device_is_held_by_the_database() -> None:
    for table in TABLES:
        if "device" in table.columns:
            assert [key.target_fullname for key in table.columns["device"].foreign_keys] == ["device.id"], table


def test_blocks_of_one_day_lie_together() -> None:
    key = METADATA.tables["interval_block"].primary_key
    assert [column.name for column in key.columns] == ["day", "device", "series", "revision"]
