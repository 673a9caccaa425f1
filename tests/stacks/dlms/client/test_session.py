"""Conversations driven as engines, against a server engine on a line in memory."""

from __future__ import annotations

from typing import Any

import pytest

from meterway.base.errors import ConfigError, DecodeError, LinkError, SecurityError
from meterway.base.obis import Obis
from meterway.stacks.dlms.client import (
    ActionDone,
    Associated,
    ClientSettings,
    DlmsClient,
    Failed,
    GetDone,
    PushReceived,
    Quirk,
    Released,
    SetDone,
)
from meterway.stacks.dlms.client.script import Act, Get, GetList, Script, Set
from meterway.stacks.dlms.client.session import MeterSession, SessionDone, SessionFailed, cause_of
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

CLOCK = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
RESET = MethodDescriptor(3, Obis(1, 0, 1, 8, 0), 1)
LISTS = Conformance.GET | Conformance.MULTIPLE_REFERENCES


class Client:
    """Stands where the client engine stands: remembers what was asked, reports what a test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.events: list[Any] = []

    def open(self, now: float) -> None:
        self.asked.append(("open",))

    def get(self, attribute: Any, selection: Any = None, *, now: float) -> int:
        self.asked.append(("get", attribute, selection))
        return 1

    def get_list(self, items: Any, *, now: float) -> int:
        self.asked.append(("list", items))
        return 1

    def set(self, items: Any, values: Any, *, now: float) -> int:
        self.asked.append(("set", items, values))
        return 1

    def act(self, method: Any, parameters: Any = None, *, now: float) -> int:
        self.asked.append(("act", method, parameters))
        return 1

    def release(self, now: float) -> None:
        self.asked.append(("release",))

    def next_event(self) -> Any:
        return self.events.pop(0) if self.events else None

    def receive_data(self, data: bytes, now: float) -> None:
        return

    def data_to_send(self) -> bytes:
        return b"four"

    def next_timeout(self) -> float | None:
        return 7.0

    def handle_timeout(self, now: float) -> None:
        return


def session_of(script: Script[Any]) -> tuple[MeterSession[Any], Client]:
    client = Client()
    session: MeterSession[Any] = MeterSession(client, script)  # type: ignore[arg-type]
    session.open(0.0)
    return session, client


def tell(session: MeterSession[Any], client: Client, *events: Any) -> Any:
    client.events.extend(events)
    session.receive_data(b"octets", 1.0)
    return session.next_event()


def associated(conformance: Conformance = LISTS) -> Associated:
    return Associated(b"MWY00001", conformance, 1024)


def everything() -> Script[list[Any]]:
    heard = [(yield Get(CLOCK))]
    heard.append((yield GetList(((CLOCK, None), (CLOCK, None)))))
    heard.append((yield Set(CLOCK, b"\x00")))
    heard.append((yield Act(RESET, b"\x0f\x00")))
    return heard


def test_a_script_is_sent_what_came_of_each_wish_and_its_result_is_reported_after_the_release() -> None:
    session, client = session_of(everything())
    outcome = ActionOutcome(ActionResult.SUCCESS, None)
    assert tell(session, client, associated(), GetDone(1, b"\x01")) is None
    from meterway.stacks.dlms.client import GetListDone

    refusal = DataAccessResult.READ_WRITE_DENIED
    assert tell(session, client, GetListDone(2, (b"\x02", refusal)), SetDone(3, (refusal,))) is None
    assert tell(session, client, ActionDone(4, outcome)) is None
    assert [each[0] for each in client.asked] == ["open", "get", "list", "set", "act", "release"]
    report = tell(session, client, Quirk("odd", "said"), Released())
    assert isinstance(report, SessionDone)
    assert report.result == [b"\x01", (b"\x02", refusal), refusal, outcome]
    assert [quirk.kind for quirk in report.quirks] == ["odd"]
    assert session.next_event() is None


def test_a_device_without_lists_is_not_asked_for_one() -> None:
    def script() -> Script[object]:
        return (yield GetList(((CLOCK, None),)))

    session, client = session_of(script())
    tell(session, client, associated(Conformance.GET))
    assert [each[0] for each in client.asked] == ["open", "release"]
    report = tell(session, client, Released())
    assert isinstance(report, SessionDone)
    assert report.result is None


def test_a_failure_ends_the_script_and_is_reported_once_with_its_cause() -> None:
    closed: list[bool] = []

    def script() -> Script[None]:
        try:
            yield Get(CLOCK)
        finally:
            closed.append(True)

    session, client = session_of(script())
    report = tell(session, client, associated(), Failed("timeout", LinkError("no answer")))
    assert isinstance(report, SessionFailed)
    assert (report.cause, str(report.error), closed) == ("timeout", "no answer", [True])
    assert tell(session, client, Released(), Failed("link", LinkError("again"))) is None


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (DecodeError("bad", 3, "truncated"), "decode"),
        (SecurityError("no", "tag"), "tag"),
        (ConfigError("no such object"), "data"),
    ],
)
def test_an_error_in_the_script_releases_and_is_counted_by_a_stable_word(error: Any, cause: str) -> None:
    def script() -> Script[None]:
        yield Get(CLOCK)
        raise error

    session, client = session_of(script())
    report = tell(session, client, associated(), GetDone(1, b"\x00"))
    assert isinstance(report, SessionFailed)
    assert (report.cause, cause_of(error)) == (cause, cause)
    assert client.asked[-1] == ("release",)


def test_an_error_while_asking_ends_the_session_too() -> None:
    session, client = session_of(everything())
    client.get = lambda *_, **__: (_ for _ in ()).throw(SecurityError("used up", "counter"))  # type: ignore[method-assign,assignment]
    report = tell(session, client, associated())
    assert isinstance(report, SessionFailed)
    assert report.cause == "counter"


def test_a_line_that_breaks_after_the_work_was_done_is_a_quirk() -> None:
    def script() -> Script[int]:
        yield Get(CLOCK)
        return 5

    session, client = session_of(script())
    push = PushReceived(DataNotification(invoke=1, date_time=b"", body=b"\x00"))
    report = tell(session, client, associated(), push, GetDone(1, b""), Failed("link", LinkError("gone")))
    assert isinstance(report, SessionDone)
    assert report.result == 5
    assert [quirk.kind for quirk in report.quirks] == ["push-in-session", "release-broken"]


def test_octets_are_counted_both_ways() -> None:
    session, client = session_of(everything())
    tell(session, client)
    assert session.data_to_send() == b"four"
    assert session.octets == 10
    assert session.next_timeout() == 7.0
    session.handle_timeout(9.0)


def session_on_a_line() -> MeterSession[Any]:
    def script() -> Script[Any]:
        return (yield Get(CLOCK))

    client = DlmsClient(WrapperFraming(16, 1, role=Role.CLIENT), ClientSettings(response_timeout_s=5.0))
    return MeterSession(client, script())


def test_a_line_that_closes_is_reported_once() -> None:
    session = session_on_a_line()
    session.open(0.0)
    sent = session.data_to_send()
    assert session.octets == len(sent) > 0
    session.receive_data(b"", 1.0)
    assert isinstance(session.next_event(), SessionFailed)
    assert session.next_event() is None


def test_a_device_that_says_nothing_is_not_waited_for_for_ever() -> None:
    session = session_on_a_line()
    session.open(0.0)
    due = session.next_timeout()
    assert due == 5.0
    session.handle_timeout(due)
    assert isinstance(session.next_event(), SessionFailed)
