"""A session on the air: order, acknowledgement, question, answer, end."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_town import NOON, Air, RadioMeter, ledger
from meterway.base.errors import LinkError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.airing import Airing
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.mirror import OrderState
from meterway.interfaces.mbus.rules import Window
from meterway.stacks.dlms.security.counter import counter_at
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.telegram import decode
from meterway.stacks.mbus.tpl import Tpl
from meterway.stacks.mbus.wireless.frames import encode_radio

OWN = Address(manufacturer=0x3B39, ident="00000001", version=1, device_type=0x31)


def acknowledgement(meter: RadioMeter) -> bytes:
    tpl = Tpl(ci=0x8A, header="short", access=1, config=0xC000)
    return encode_radio(0x00, meter.address, tpl.encode(), "A")


def names(air: Air) -> list[str]:
    return [decode(octets, keys=[RadioMeter().key]).frame.name for octets, _, _ in air.sent]  # type: ignore[union-attr]


def on_air(book: Ledger, windows: tuple[Window, ...] = ()) -> tuple[Airing, Air]:
    air = Air()
    return Airing(air, book, OWN, windows), air


@pytest.mark.covers("IF-M", "UC-BI-05", "E-LNAP-2")
def test_a_whole_session_settles_an_order(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    _, air = on_air(book)
    air.say(meter.telegram(1), NOON)
    assert air.sent == []
    order = book.gateway.order(1, "valve", b"\x01\xfd\x1f\x00", now=NOON, valid_s=3600, detail="disconnect")
    air.say(meter.telegram(2), NOON + 900)
    air.say(acknowledgement(meter), NOON + 900.1)
    assert order.state is OrderState.SENT
    air.say(meter.telegram(2, control=0x08), NOON + 900.2)
    assert order.state is OrderState.DONE
    assert names(air) == ["SND-UD", "REQ-UD2", "SND-NKE"]
    book.spool.close()


@pytest.mark.covers("IF-M")
def test_an_order_that_is_not_answered_goes_out_again_under_a_new_counter(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    _, air = on_air(book)
    book.gateway.order(1, "clock", b"\x01\xfd\x1f\x00", now=NOON, valid_s=3600)
    for step in range(3):
        air.say(meter.telegram(1), NOON + 900 * step)
    counters = [decode(octets, keys=[meter.key]).afl.counter for octets, _, _ in air.sent]  # type: ignore[union-attr]
    first = counter_at(NOON)
    assert counters == [first + 1, first + 901, first + 1801], "one for each second, so that another may go on above"
    book.spool.close()
    again = ledger(tmp_path)
    assert again.gateway.channel(1).sent >= counters[-1]
    again.spool.close()


@pytest.mark.covers("UC-IN-01")
def test_installation_is_confirmed_and_a_call_for_access_is_asked_about(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    _, air = on_air(book)
    air.say(meter.telegram(1, control=0x46), NOON)
    tpl = Tpl(ci=0x8A, header="short", access=1, config=0xC000)
    air.say(encode_radio(0x48, meter.address, tpl.encode(), "A"), NOON + 1)
    assert names(air) == ["CNF-IR", "REQ-UD1"]
    book.spool.close()


def test_outside_its_windows_the_gateway_does_not_listen(tmp_path: Path) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    airing, air = on_air(book, (Window(every_s=3600, length_s=60),))
    air.say(meter.telegram(1), NOON + 61)
    assert airing.heard == 0
    air.say(meter.telegram(1), NOON + 3600)
    assert airing.heard == 1
    airing.close()
    book.spool.close()


def test_a_full_disk_costs_the_telegram_and_not_the_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    airing, air = on_air(book)
    book.spool._db.execute("PRAGMA query_only = ON")
    air.say(meter.telegram(1), NOON)
    assert "a telegram is lost" in caplog.text
    book.spool._db.execute("PRAGMA query_only = OFF")
    air.say(meter.telegram(2), NOON + 1)
    assert airing.heard == 2
    assert book.shown(book.gateway.channel(1), Obis(7, 0, 3, 0, 0)) is not None
    book.spool.close()


def test_a_receiver_that_cannot_send_leaves_the_order_waiting(tmp_path: Path) -> None:
    class Deaf(Air):
        def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
            raise LinkError("no transmitter")

    meter = RadioMeter()
    book = ledger(tmp_path, meter.bound())
    air = Deaf()
    Airing(air, book, OWN)
    order = book.gateway.order(1, "clock", b"x", now=NOON, valid_s=3600)
    air.say(meter.telegram(1), NOON)
    assert order.is_open
    book.spool.close()
