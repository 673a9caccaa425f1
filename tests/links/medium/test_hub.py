import asyncio
import sys
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.links.medium.air import AirSettings, Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.links.medium.path import Surroundings
from meterway.links.medium.wire import Figures, Gone, Heard, Join, Send, WireEngine
from meterway.links.radio import Reception
from meterway.stacks.mbus.wireless.modes import MODES

CALM = AirSettings(surroundings=Surroundings(shadow_db=0.0), fading_db=0.0)
FRAME = bytes([30]) + bytes(30)
BOTH = frozenset(("T1", "T2 down"))
METER = """
import asyncio, sys
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient

async def main():
    client, number = RadioClient(), int(sys.argv[2])
    await client.connect(int(sys.argv[1]))
    port = client.join(Station(name=str(number), place=(5.0 * number, 0.0, 0.0), hears=frozenset(("T2 down",))))
    answered = asyncio.Event()
    port.listen(lambda reception: answered.set() if reception.octets[-1] == number else None)
    while not answered.is_set():
        port.send(bytes([30]) + bytes(29) + bytes([number]), mode="T1")
        try:
            await asyncio.wait_for(answered.wait(), 0.1 + 0.07 * number)
        except TimeoutError:
            pass
    client.close()

asyncio.run(main())
"""


def play(scene: Callable[[RadioHub, int], Awaitable[None]], settings_: AirSettings = CALM) -> RadioHub:
    """Run a scene with a hub on a free port."""

    async def run() -> RadioHub:
        hub = RadioHub(MODES, settings_)
        port = await hub.open()
        try:
            async with asyncio.timeout(30):
                await scene(hub, port)
        finally:
            await hub.close()
        return hub

    return asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def connected(port: int, **options: Callable[[str], None]) -> RadioClient:
    client = RadioClient(**options)
    await client.connect(port)
    return client


@pytest.mark.covers("IF-M", "E-NET-LN")
def test_several_processes_meet_on_one_air_and_are_answered_in_their_windows() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        client = await connected(port)
        gone: list[Gone] = []
        client.watch(gone.append, lambda figures: None)
        gateway = client.join(Station(name="gateway", hears=frozenset(("T1",))))
        heard: list[Reception] = []

        def answer(reception: Reception) -> None:
            heard.append(reception)
            gateway.send(FRAME[:-1] + reception.octets[-1:], mode="T2 down", delay_s=0.0025)

        gateway.listen(answer)
        await until(lambda: len(hub.air.stations) == 1)
        meters = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", METER, str(port), str(number))
            for number in (1, 2)
        ]
        assert [await meter.wait() for meter in meters] == [0, 0]
        assert {reception.octets[-1] for reception in heard} == {1, 2}
        ends = {frame.end_s for frame in gone if frame.mode == "T1"}
        assert all(
            min(abs(frame.start_s - end - 0.0025) for end in ends) < 1e-6 for frame in gone if frame.mode == "T2 down"
        )

    play(scene)


def test_one_frame_is_heard_by_many_stations_of_one_process() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        meters, gateways = await connected(port), await connected(port)
        heard: list[tuple[str, Reception]] = []
        for number in range(20):
            station = Station(name=f"gateway {number}", place=(5.0 + number, 0.0, 0.0), hears=BOTH)
            gateways.join(station).listen(lambda reception, name=station.name: heard.append((name, reception)))
        await until(lambda: len(hub.air.stations) == 20)
        meters.join(Station(name="meter")).send(FRAME, mode="T1")
        await until(lambda: len(heard) == 20)
        assert {reception.octets for _, reception in heard} == {FRAME}
        assert len({reception.rssi_dbm for _, reception in heard}) > 5
        assert all(reception.simulated for _, reception in heard)

    assert play(scene).figures().received == 20


def test_what_cannot_be_is_told_in_words_and_the_line_stays() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        client = await connected(port)
        client.join(Station(name="one"))
        client.join(Station(name="one"))
        client.join(Station(name="two", hears=frozenset(("Z9",)))).send(FRAME, mode="T1")
        client.join(Station(name="three")).send(FRAME, mode="Z9")
        await until(lambda: len(client.problems) == 4)
        assert [problem.split(":")[0] for problem in client.problems] == ["one", "two", "two", "three"]
        assert client.connected
        client.close()
        await until(lambda: not hub.air.stations)

    play(scene)


def test_a_station_over_its_duty_cycle_is_told_so() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        client = await connected(port)
        meter = client.join(Station(name="meter"))
        for _ in range(1000):
            meter.send(FRAME, mode="T1")
        await until(lambda: meter.refused > 0)
        assert client.problems == []

    assert play(scene).figures().refused > 0


def test_figures_and_frames_can_be_watched() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        watcher, client = await connected(port), await connected(port)
        gone: list[Gone] = []
        figures: list[Figures] = []
        watcher.watch(gone.append, figures.append)
        await until(lambda: bool(figures))
        meter = client.join(Station(name="meter"))
        meter.send(FRAME, mode="T1")
        await until(lambda: bool(gone))
        watcher.watch(None, figures.append)
        await until(lambda: len(figures) == 2)
        assert (gone[0].station, gone[0].octets, gone[0].heard) == ("meter", FRAME, 0)
        assert (figures[1].sent, figures[1].unheard, figures[1].stations) == (1, 1, 1)
        meter.close()
        await until(lambda: not hub.air.stations)

    play(scene)


def test_late_and_repeated_frames_come_through_the_hub_and_are_not_answered_in_the_past() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        client = await connected(port)
        heard: list[Reception] = []
        gateway = client.join(Station(name="gateway", hears=BOTH))
        gateway.listen(heard.append)
        client.join(Station(name="meter")).send(FRAME, mode="T1")
        await until(lambda: len(heard) == 2)
        assert heard[0].octets == heard[1].octets

    settings_ = AirSettings(
        surroundings=Surroundings(shadow_db=0.0), fading_db=0.0, repeated=1.0, late=1.0, late_s=0.05
    )
    figures = play(scene, settings_).figures()
    assert (figures.late, figures.repeated) == (1, 1)


def test_who_breaks_the_rules_is_cut_off_and_others_stay() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        good = await connected(port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x00\x00\x00\x02\xc1\xc1")
        with pytest.raises(ConnectionResetError):
            assert await reader.read() == b""
            raise ConnectionResetError
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        engine = WireEngine()
        engine.tell(Heard("T1", b"", 0.0, ()))
        writer.write(engine.data_to_send())
        with pytest.raises(ConnectionResetError):
            assert await reader.read() == b""
            raise ConnectionResetError
        writer.close()
        assert good.connected

    play(scene)


def test_a_frame_dated_far_away_is_sent_at_once() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        engine = WireEngine()
        engine.tell(Join(1, "meter", ()))
        for since in (float("nan"), 0.0, 1e300, None):
            engine.tell(Send(1, "T1", FRAME, 0.0 if since is not None else float("inf"), since))
        writer.write(engine.data_to_send())
        await until(lambda: hub.misdated == 4)
        writer.close()

    assert play(scene).figures().sent == 4


def test_the_loss_of_the_hub_is_told_once() -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        lost: list[str] = []
        client = await connected(port, on_lost=lost.append)
        port_on_air = client.join(Station(name="meter"))
        await until(lambda: bool(hub.air.stations))
        await hub.close()
        await until(lambda: bool(lost))
        assert len(lost) == 1
        assert not client.connected
        port_on_air.close()

    play(scene)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_the_hub_outlives_any_octets(junk: list[bytes]) -> None:
    async def scene(hub: RadioHub, port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        for octets in junk:
            writer.write(len(octets).to_bytes(4, "big") + octets)
        writer.close()
        client = await connected(port)
        figures: list[Figures] = []
        client.watch(None, figures.append)
        await until(lambda: bool(figures))

    play(scene)
