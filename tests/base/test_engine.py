"""What an engine collected comes out in order, each once."""

from __future__ import annotations

from meterway.base.engine import QueuingEngine


class Told(QueuingEngine[str]):
    def tell(self, *events: str) -> None:
        self._events.extend(events)

    def say(self, *messages: bytes) -> None:
        self._out.extend(messages)


def test_events_come_out_in_order_and_once() -> None:
    engine = Told()
    engine.tell("a", "b")
    assert [engine.next_event() for _ in range(3)] == ["a", "b", None]


def test_octets_come_out_together_and_once() -> None:
    engine = Told()
    assert engine.data_to_send() == b""
    engine.say(b"1")
    assert engine.data_to_send() == b"1"
    engine.say(b"2", b"3")
    assert (engine.data_to_send(), engine.data_to_send()) == (b"23", b"")
