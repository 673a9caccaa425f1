"""A device made of tables: who may associate, what is read, set and called, and what it lists of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.tabled.logical import TabledDevice
from meterway.stacks.dlms.tabled.table import Ask, Attr, Method, Right, Thing, data_object, fixed, text
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

NAME, WORD, GONE, NEW = (Obis(0, 0, 96, 1, n) for n in range(4))
EVERYTHING = Right.READ | Right.COMMAND | Right.CONFIGURE


@dataclass(frozen=True, slots=True)
class Party:
    client: int
    rights: Right


@dataclass(slots=True)
class Site:
    parties: tuple[Party, ...]
    word: axdr.Data = field(default_factory=axdr.null)
    has_new: bool = False
    log: list[str] = field(default_factory=list)


class Counters:
    def sending(self, party: Party, channel: int) -> SendCounter:
        return SendCounter(100 * party.client + channel)

    def receiving(self, party: Party, channel: int) -> ReceivedCounter:
        return ReceivedCounter(party.client)


Asked = Ask[Site, Party]


def write(ask: Asked, value: axdr.Data) -> DataAccessResult:
    if not isinstance(value.value, int):
        return DataAccessResult.TYPE_UNMATCHED
    ask.site.word = value
    return DataAccessResult.SUCCESS


def gone(ask: Asked) -> axdr.Data:
    raise ConfigError("it left")


def begin(ask: Asked, value: axdr.Data) -> ActionResult:
    ask.site.log.append(f"called with {value.value}")
    ask.site.has_new = True
    return ActionResult.SUCCESS


class Device(TabledDevice[Site, Party]):
    @property
    def system_title(self) -> bytes:
        return b"MWY0000" + bytes((self.channel,))

    def _moment(self, now: float) -> float:
        return now + 1000.0

    def _party(self, client: int) -> Party | None:
        if client == 99:
            raise ConfigError("the meter is not there")
        return next((one for one in self._site.parties if one.client == client), None)

    def _keys(self, party: Party) -> Keys | None:
        return None if party is PUBLIC else Keys(bytes(16), bytes(15) + bytes((party.client,)))

    def _may(self, party: Party, right: Right, key: tuple[int, Obis]) -> bool:
        return right in party.rights

    def _made(self, ask: Asked) -> Iterable[Thing[Asked]]:
        self._site.log.append("made")
        things: list[Thing[Asked]] = [
            data_object(NAME, fixed(text("N")), is_public=True),
            data_object(GONE, Attr(gone)),
            Thing(
                class_id=1,
                obis=WORD,
                attributes={2: Attr(lambda asked: asked.site.word, write, Right.COMMAND)},
                methods={1: Method(begin)},
            ),
        ]
        return [*things, data_object(NEW, fixed(axdr.null()))] if self._site.has_new else things

    def _denied(self, client: int) -> None:
        self._site.log.append(f"denied {client}")

    def _was_set(self, ask: Asked, obis: Obis) -> None:
        self._site.log.append(f"set {obis} at {ask.now}")

    def _keep(self) -> None:
        self._site.log.append("kept")

    def noticed(self, client: int, kind: str, now: float) -> None:
        self._site.log.append(kind)


ALL, READER, BLIND = Party(1, EVERYTHING), Party(2, Right.READ), Party(3, Right.CONFIGURE)
PUBLIC = Party(16, Right.EVERY_PARTY)


@pytest.fixture
def device() -> Device:
    return Device(Site((ALL, READER, BLIND, PUBLIC)), 2, counters=Counters(), max_pdu=500)


def get(device: Device, client: int, obis: Obis, place: int = 2, *, wanted: Selection | None = None) -> object:
    return device.get(client, AttributeDescriptor(1, obis, place), wanted, 0.0)


def put(device: Device, client: int, obis: Obis, value: bytes, place: int = 2) -> DataAccessResult:
    return device.set(client, AttributeDescriptor(1, obis, place), None, value, 5.0)


def test_a_party_associates_under_its_own_keys_and_counters_and_nobody_else_does(device: Device) -> None:
    found = device.association(1)
    assert found is not None
    assert (found.client, found.mechanism, found.control, found.max_pdu) == (1, 5, 0x30, 500)
    security = device.security(2)
    assert security is not None
    assert (security.keys.authentication[-1], security.send_counter.take(), security.received.last) == (2, 202, 2)
    assert device.association(7) is None
    assert device.security(7) is None
    assert device._site.log == ["denied 7"]
    assert device.system_title == b"MWY0000\x02"


def test_what_is_there_is_read_and_what_is_not_is_refused(device: Device) -> None:
    assert get(device, 2, NAME) == b"\x09\x01N"
    assert get(device, 2, NAME, 1) == b"\x09\x06" + NAME.encode()
    assert get(device, 2, NAME, 3) is DataAccessResult.OBJECT_UNDEFINED
    assert get(device, 2, NEW) is DataAccessResult.OBJECT_UNDEFINED
    assert get(device, 2, GONE) is DataAccessResult.OBJECT_UNAVAILABLE
    assert get(device, 3, WORD) is DataAccessResult.READ_WRITE_DENIED
    other = device.get(2, AttributeDescriptor(3, NAME, 2), None, 0.0)
    assert other is DataAccessResult.OBJECT_CLASS_INCONSISTENT
    assert get(device, 7, NAME) is DataAccessResult.OBJECT_UNAVAILABLE
    assert get(device, 99, NAME) is DataAccessResult.OBJECT_UNAVAILABLE
    assert get(device, 2, NAME, wanted=Selection(1, b"\x00")) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


def test_only_who_has_the_right_of_an_attribute_sets_it_and_what_was_set_is_logged_and_kept(device: Device) -> None:
    assert put(device, 2, WORD, b"\x11\x07") is DataAccessResult.READ_WRITE_DENIED
    assert put(device, 1, NAME, b"\x11\x07") is DataAccessResult.READ_WRITE_DENIED
    assert put(device, 1, NEW, b"\x11\x07") is DataAccessResult.OBJECT_UNDEFINED
    assert put(device, 1, WORD, b"\x11\x07", 1) is DataAccessResult.READ_WRITE_DENIED
    assert put(device, 1, WORD, b"\x11\x07", 3) is DataAccessResult.OBJECT_UNDEFINED
    device._site.log.clear()
    assert put(device, 1, WORD, b"\x00") is DataAccessResult.TYPE_UNMATCHED
    assert put(device, 1, WORD, b"\x11") is DataAccessResult.TYPE_UNMATCHED
    assert put(device, 1, WORD, b"\x11\x07") is DataAccessResult.SUCCESS
    assert get(device, 2, WORD) == b"\x11\x07"
    assert device._site.log[:3] == ["kept", f"set {WORD} at 1005.0", "kept"]


def test_a_method_is_called_by_who_may_and_the_objects_are_looked_at_anew(device: Device) -> None:
    method = MethodDescriptor(1, WORD, 1)
    assert device.act(2, method, None, 0.0).result is ActionResult.READ_WRITE_DENIED
    assert device.act(1, MethodDescriptor(1, NAME, 1), None, 0.0).result is ActionResult.OBJECT_UNDEFINED
    assert device.act(1, MethodDescriptor(3, WORD, 1), None, 0.0).result is ActionResult.OBJECT_CLASS_INCONSISTENT
    assert device.act(1, method, b"\x11", 0.0).result is ActionResult.TYPE_UNMATCHED
    assert device.act(1, method, b"\x11\x09", 0.0).result is ActionResult.SUCCESS
    assert "called with 9" in device._site.log
    assert get(device, 2, NEW) == b"\x00"


def test_the_list_of_objects_is_made_once_and_anew_for_what_is_not_in_it(device: Device) -> None:
    for _ in range(3):
        get(device, 2, NAME)
    assert device._site.log.count("made") == 1
    device._site.has_new = True
    assert get(device, 2, NEW) == b"\x00"
    assert device._site.log.count("made") == 2


def test_the_object_list_says_what_each_party_may(device: Device) -> None:
    def modes(client: int) -> list[int]:
        answer = device.get(client, AttributeDescriptor(15, Obis(0, 0, 40, 0, 0), 2), None, 0.0)
        assert isinstance(answer, bytes)
        rows = axdr.to_native(answer)[0]
        word = next(row for row in rows if row[2] == WORD.encode())
        return [*(mode for _, mode, _ in word[3][0]), *(mode for _, mode in word[3][1])]

    assert modes(1) == [1, 3, 1]
    assert modes(2) == [1, 1, 0]
    assert modes(3) == [1, 0, 1]


def test_the_association_and_the_security_setup_show_themselves(device: Device) -> None:
    def own(class_id: int, obis: Obis, place: int) -> object:
        return device.get(1, AttributeDescriptor(class_id, obis, place), None, 0.0)

    association, setup = Obis(0, 0, 40, 0, 0), Obis(0, 0, 43, 0, 0)
    partners = typed(15, 3, axdr.decode_all(own(15, association, 3)))  # type: ignore[arg-type]
    assert partners is not None
    assert own(15, association, 3) == b"\x02\x02\x0f\x01\x12\x00\x03"
    assert own(15, association, 9) == b"\x09\x06" + setup.encode()
    assert own(64, setup, 5) == b"\x09\x08MWY0000\x02"
    assert own(64, setup, 9) is DataAccessResult.OBJECT_UNDEFINED


def test_the_public_associates_without_a_secret_and_only_what_is_public_is_there_for_it(device: Device) -> None:
    found = device.association(16)
    assert found is not None
    assert (found.mechanism, found.context, found.control, found.max_pdu) == (0, 1, 0, 500)
    assert not found.conformance & (Conformance.SET | Conformance.ACTION)
    assert device.security(16) is None
    assert get(device, 16, NAME) == b"\x09\x01N"
    assert get(device, 16, NAME, 1) == b"\x09\x06" + NAME.encode()
    for place in (1, 2, 3):
        assert get(device, 16, WORD, place) is DataAccessResult.READ_WRITE_DENIED
    assert put(device, 16, WORD, b"\x11\x07") is DataAccessResult.READ_WRITE_DENIED
    assert device.act(16, MethodDescriptor(1, WORD, 1), None, 0.0).result is ActionResult.READ_WRITE_DENIED
    association, setup = Obis(0, 0, 40, 0, 0), Obis(0, 0, 43, 0, 0)
    refused = device.get(16, AttributeDescriptor(64, setup, 5), None, 0.0)
    assert refused is DataAccessResult.READ_WRITE_DENIED
    rows = device.get(16, AttributeDescriptor(15, association, 2), None, 0.0)
    assert isinstance(rows, bytes)
    assert [row[2] for row in axdr.to_native(rows)[0]] == [NAME.encode()]
    mechanism = device.get(16, AttributeDescriptor(15, association, 6), None, 0.0)
    assert mechanism == bytes.fromhex("0907 60857405080200")
