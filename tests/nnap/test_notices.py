"""What nodes said by themselves is put on lines, or waits."""

import pytest

from meterway.nnap.north import NorthLine
from meterway.nnap.notices import Notice, Notices
from meterway.nnap.store import Store
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.wrapper import WrapperFraming

FIRST, SECOND = (Notice(b"METER00%d" % number, b"\xdb%d" % number, 1, 1) for number in (1, 2))


def line() -> NorthLine:
    return NorthLine(WrapperFraming(1, 1, role=Role.SERVER), lambda sap: None, lambda *_: None)


def said(one: NorthLine) -> list[bytes]:
    octets = one.data_to_send()
    return [notice.eui for notice in (FIRST, SECOND) if notice.apdu in octets]


@pytest.fixture
def store(tmp_path):
    kept = Store(tmp_path / "nnap.sqlite")
    yield kept
    kept.close()


def test_it_goes_on_every_line_and_waits_where_there_is_none(store):
    notices, one, other = Notices(store), line(), line()
    notices.say(FIRST, [], 1.0)
    assert len(notices) == 1
    notices.opened(one, 2.0)
    assert (len(notices), said(one)) == (0, [FIRST.eui])
    notices.say(SECOND, [one, other], 3.0)
    assert (said(one), said(other)) == ([SECOND.eui], [SECOND.eui])


def test_what_may_not_have_been_read_waits_again_in_its_order(store):
    notices, one = Notices(store), line()
    notices.say(FIRST, [one], 1.0)
    notices.say(SECOND, [one], 2.0)
    notices.lost(one, 3.0)
    assert len(notices) == 2
    other = line()
    notices.opened(other, 4.0)
    octets = other.data_to_send()
    assert 0 <= octets.index(FIRST.apdu) < octets.index(SECOND.apdu)
    notices.lost(one, 4.5)
    assert len(notices) == 0, "that line had them no more"


@pytest.mark.parametrize("how", ["the other side went on", "it stayed", "another line has it"])
def test_what_was_read_does_not_wait_again(store, how):
    notices, one, other = Notices(store), line(), line()
    notices.say(FIRST, [one, other] if how == "another line has it" else [one], 1.0)
    if how == "the other side went on":
        one.heard += 2
    notices.lost(one, 20.0 if how == "it stayed" else 2.0)
    assert len(notices) == 0


def test_one_answer_on_its_way_proves_nothing(store):
    notices, one = Notices(store), line()
    notices.say(FIRST, [one], 1.0)
    one.heard += 1
    notices.lost(one, 2.0)
    assert len(notices) == 1


def test_what_waits_outlives_the_process_and_the_oldest_makes_way(store):
    notices = Notices(store)
    for number in range(1002):
        notices.say(Notice(b"METER%03d" % (number % 40), b"\xdb" + number.to_bytes(2, "big"), 1, 1), [], 1.0)
    notices.save()
    again, one = Notices(store), line()
    assert len(again) == 1000
    again.opened(one, 2.0)
    octets = one.data_to_send()
    assert b"METER001\xdb\x00\x01" not in octets
    assert octets.index(b"METER002\xdb\x00\x02") < octets.index(b"METER001\xdb\x03\xe9")
    again.save()
    assert len(Notices(store)) == 0


@pytest.mark.covers("SEC-11")
def test_a_node_that_talks_for_ever_takes_no_room_from_others(store):
    notices, one = Notices(store), line()
    notices.say(FIRST, [], 1.0)
    for number in range(2000):
        notices.say(Notice(SECOND.eui, b"\xdb%d" % number, 1, 1), [], 2.0)
    assert len(notices) == 51
    notices.opened(one, 3.0)
    octets = one.data_to_send()
    assert FIRST.apdu in octets
    assert b"\xdb1999" in octets, "its newest are kept"
    assert b"\xdb1949" not in octets
