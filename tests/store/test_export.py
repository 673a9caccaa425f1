"""CSV of a device's range."""

from meterway.base.obis import Obis
from meterway.store.block import DAY_S, Block, Channel, Column
from meterway.store.blocks import NewBlock
from meterway.store.database import Store
from meterway.store.export import csv_lines
from meterway.store.packing import pack


def test_a_range_is_lines_of_scaled_values_in_which_missing_is_not_zero(store: Store, devices: list[int]) -> None:
    energy = Channel.of(Column(obis=Obis(1, 0, 1, 8, 0), unit=30, scaler=-1), [2**53 + 1, 0], present=[True, False])
    power = Channel.of(Column(obis=Obis(1, 0, 1, 7, 0), unit=27, scaler=2), [0, -3], quality=[0, 4])
    block = Block(start_s=20_000 * DAY_S + 900, interval_s=900, channels=(energy, power))
    store.blocks.upsert_many([NewBlock(device=devices[0], packed=pack(block))], now_ms=1)
    assert "".join(csv_lines(store.blocks.read_range(devices[0], 20_000, 20_001))) == (
        "time,obis,value,unit,quality,revision\n"
        "2024-10-04T00:15:00Z,1-0:1.8.0*255,900719925474099.3,Wh,0,1\n"
        "2024-10-04T00:30:00Z,1-0:1.8.0*255,,Wh,0,1\n"
        "2024-10-04T00:15:00Z,1-0:1.7.0*255,0,W,0,1\n"
        "2024-10-04T00:30:00Z,1-0:1.7.0*255,-300,W,4,1\n"
    )
    assert list(csv_lines([])) == ["time,obis,value,unit,quality,revision\n"]
