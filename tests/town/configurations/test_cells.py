"""A network of a configuration: what is on it is counted by the kind of device it is for."""

import asyncio

import pytest

from meterway.interfaces import Entity
from meterway.links.medium.neighbourhood.records import Carried as Transmission
from meterway.links.node import BROADCAST
from meterway.town.configurations.cells import Cell, coordinator_of


def cell_of(profile: str, secret: bytes = bytes(32)) -> Cell:
    async def made() -> Cell:
        return Cell(profile, secret)

    return asyncio.run(made())


def sent(source: int, to: int, octets: int, *, hop: int = 0, result: str = "arrived") -> Transmission:
    return Transmission(source, to, source, to, bytes(octets), 0.0, 1.0, hop, 0, result)


@pytest.mark.covers("IF-C", "IF-L")
def test_frames_count_for_who_they_are_to_or_from() -> None:
    cell = cell_of("prime")
    assert [cell.place(Entity.METER), cell.place(Entity.METER), cell.place(Entity.LNAP)] == [1, 2, 3]
    for one in (
        sent(0, 1, 10),
        sent(2, 0, 20),
        sent(0, 3, 5, result="noise"),
        sent(0, 2, 7, hop=1, result="noise"),
        sent(0, BROADCAST, 4, result="heard"),
    ):
        cell._carried(one)
    rows = {row.label: (row.entities, row.sessions, row.octets) for row in cell.carried()}
    assert rows == {"C": (2, 3, 34), "L": (1, 2, 9)}


def test_a_cell_can_be_watched_before_anybody_is_there() -> None:
    async def live() -> None:
        cell = Cell("g3", bytes(32))
        await cell.open()
        await asyncio.sleep(0.05)
        assert cell.port
        assert cell._watch.connected
        await cell.close()

    asyncio.run(live())


def test_a_station_is_quick_where_the_profile_can_be() -> None:
    assert coordinator_of("prime") is not None
    assert coordinator_of("g3") is None
    one, other = cell_of("g3"), cell_of("g3", b"x" * 32)
    assert one.key(b"MWYMETER") != other.key(b"MWYMETER")
    assert one.station(b"MWYMETER").eui == b"MWYMETER"
