"""Several meters on one HDLC line."""

from meterway.meter.stations import HdlcStations
from meterway.stacks.dlms.framing import FramingEvent, Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming


class Echo:
    """A station that says what it got and wants its time at ``at``."""

    def __init__(self, at: float) -> None:
        self.at: float | None = at
        self.got: list[bytes] = []

    def receive_data(self, data: bytes, now: float) -> None:
        self.got.append(data)

    def next_event(self) -> FramingEvent | None:
        return None

    def data_to_send(self) -> bytes:
        return b""

    def next_timeout(self) -> float | None:
        return self.at

    def handle_timeout(self, now: float) -> None:
        self.at = None


def snrm(logical: int) -> bytes:
    client = HdlcFraming(role=Role.CLIENT, server=HdlcAddress(logical=logical, physical=17, size=2), client=1)
    client.connect(0.0)
    return client.data_to_send()


def test_a_frame_goes_to_the_station_it_names_and_the_end_of_the_line_to_all() -> None:
    made = {1: Echo(5.0), 2: Echo(9.0)}
    line = HdlcStations(lambda address: made.get(address.logical))
    line.receive_data(snrm(2)[:6], 0.0)
    line.receive_data(snrm(2)[6:] + b"noise" + snrm(3) + snrm(1), 0.0)
    assert (made[1].got, made[2].got) == ([snrm(1)], [snrm(2)])
    line.receive_data(b"", 1.0)
    assert [station.got[-1] for station in made.values()] == [b"", b""]


def test_only_stations_whose_time_has_come_are_told() -> None:
    made = {1: Echo(5.0), 2: Echo(9.0)}
    line = HdlcStations(lambda address: made.get(address.logical))
    assert line.next_timeout() is None
    line.receive_data(snrm(1) + snrm(2), 0.0)
    assert line.next_timeout() == 5.0
    line.handle_timeout(6.0)
    assert (made[1].at, made[2].at, line.next_timeout()) == (None, 9.0, 9.0)
