"""The gateway on the air: each frame heard goes to the gateway, and what it is answered with goes out in time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from meterway.base.errors import LinkError, StoreError
from meterway.interfaces.mbus.answers import (
    Answer,
    alarm_question,
    confirm,
    end,
    question,
    reading,
    send_firmware,
    send_order,
)
from meterway.interfaces.mbus.device import Fate, Heard
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.rules import Window
from meterway.links.radio import RadioPort, Reception
from meterway.stacks.dlms.security.counter import counter_at
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.wireless.frames import RadioFrame, decode_radio, encode_radio

__all__ = ["Airing"]

_LOG: Final = logging.getLogger(__name__)
_SESSION_S: Final = 30.0
_SND_NKE: Final = 0x40
_SND_IR, _ACC_DMD, _ACK, _RSP_UD = 0x46, 0x48, 0x00, 0x08
_TOLD: Final = (Fate.STORED, Fate.LINK)


class Airing:
    """One radio port. ``own`` is the gateway's address; without ``windows`` it listens always.

    ``shift`` is how many seconds the gateway's clock is ahead of the radio's. ``adds_checks`` says that the radio adds
    the check sums of the link layer to what it is given, as receivers on a line do.

    A session with a meter is: order, acknowledgement, question, answer, the next order if one waits, and at last the
    end. Only the answer, protected as the meter's telegrams are, settles an order; one that is not answered goes out
    again when the meter wakes next.
    """

    def __init__(
        self,
        port: RadioPort,
        ledger: Ledger,
        own: Address,
        windows: tuple[Window, ...] = (),
        *,
        shift: Callable[[], float] = float,
        adds_checks: bool = False,
    ) -> None:
        self._port = port
        self._ledger = ledger
        self._own = own
        self._windows = windows
        self._shift = shift
        self._adds_checks = adds_checks
        self._spoke_s: dict[str, float] = {}
        """When each meter was last told something from here."""
        self.heard = 0
        self.sent = 0
        port.listen(self._take)

    def close(self) -> None:
        """Off the air."""
        self._port.close()

    def _take(self, reception: Reception) -> None:
        now = reception.time_s + self._shift()
        if self._windows and not any(window.is_open(now) for window in self._windows):
            return
        self.heard += 1
        try:
            self._handle(reception, now)
        except StoreError as error:
            _LOG.error("a telegram is lost: %s", error)

    def _handle(self, reception: Reception, now: float) -> None:
        gateway = self._ledger.gateway
        heard = gateway.receive(
            reception.octets, link="radio", now=now, mode=reception.mode, rssi_dbm=reception.rssi_dbm
        )
        self._ledger.heard(heard)
        if heard.meter is not None and heard.fate in _TOLD and heard.answerable:
            answer = self._answer(heard, heard.meter, now)
            if answer is not None:
                self._note(heard.meter, answer, now)
                self._send(answer)

    def _answer(self, heard: Heard, meter: Bound, now: float) -> Answer | None:
        frame = heard.telegram.frame if heard.telegram is not None else None
        control = frame.control & 0x7F if isinstance(frame, RadioFrame) else -1
        mailbox = self._ledger.gateway.mailbox
        if (control == _ACK or control & 0x4F == _RSP_UD) and not self._is_in_session(meter, now):
            return None
        if control == _SND_IR:
            return confirm(self._own, meter)
        if control == _ACC_DMD:
            return alarm_question(self._own, meter)
        order_waits = mailbox.in_flight(meter.channel) is not None
        if control == _ACK and not order_waits:
            return self._firmware(heard, meter, now) or end(self._own, meter)
        if control == _ACK:
            return question(self._own, meter)
        order = mailbox.next(meter.channel, now)
        if order is None:
            over = end(self._own, meter) if control & 0x4F == _RSP_UD else None
            return self._firmware(heard, meter, now) or over
        if order.kind == "read":
            return reading(self._own, meter)
        _count_on(meter, now)
        answer = send_order(self._own, meter, order)
        self._ledger.about_to_send(meter)
        return answer

    def _note(self, meter: Bound, answer: Answer, now: float) -> None:
        """A session goes on with what is said, or is over."""
        if answer.octets[1] == _SND_NKE:
            self._spoke_s.pop(meter.name, None)
        else:
            self._spoke_s[meter.name] = now

    def _is_in_session(self, meter: Bound, now: float) -> bool:
        """Whether the meter answers us: what it answers to another that hears it is not ours to end."""
        return 0 <= now - self._spoke_s.get(meter.name, -_SESSION_S) < _SESSION_S

    def _firmware(self, heard: Heard, meter: Bound, now: float) -> Answer | None:
        """The next of an image, if one is on its way to the meter."""
        request = self._ledger.gateway.firmware_request(meter.channel, heard.telegram)
        self._ledger.settle_firmware(meter, now)
        if request is None:
            return None
        _count_on(meter, now)
        answer = send_firmware(self._own, meter, request)
        self._ledger.about_to_send(meter)
        return answer

    def _send(self, answer: Answer) -> None:
        octets = _bare(answer.octets) if self._adds_checks else answer.octets
        try:
            self._port.send(octets, mode=answer.mode, delay_s=answer.delay_s)
        except LinkError:
            return  # a receiver without a transmitter: the order waits until it expires
        self.sent += 1


def _count_on(meter: Bound, now: float) -> None:
    """A meter has one counter for all who have its key: who takes over from another goes on above, by the time."""
    meter.sent = max(meter.sent, counter_at(now))


def _bare(octets: bytes) -> bytes:
    """A frame of ours without its check sums."""
    frame = decode_radio(octets)
    return encode_radio(frame.control, frame.address, frame.body)
