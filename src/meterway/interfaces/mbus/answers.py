"""What the gateway says to a meter: orders, questions, confirmations; frames for the air, data for the bus. Pure.

Towards a meter the link layer names the gateway and the long transport header the meter. An order is sent in the
security mode of the meter's own telegrams, under a message counter that never comes twice.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from meterway.interfaces.mbus.meters import Bound
from meterway.interfaces.mbus.mirror import Order
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.build import Wrapping, transport
from meterway.stacks.mbus.image import CI_REQUEST, ImageRequest
from meterway.stacks.mbus.tpl import Tpl
from meterway.stacks.mbus.wireless.frames import encode_radio
from meterway.stacks.mbus.wireless.modes import DOWNLINK, RESPONSES

__all__ = [
    "Answer",
    "alarm_question",
    "bus_firmware",
    "bus_order",
    "confirm",
    "end",
    "question",
    "reading",
    "reply_window",
    "send_firmware",
    "send_order",
]

_CNF_IR, _SND_NKE, _SND_UD, _SND_UD2, _REQ_UD1, _REQ_UD2 = 0x06, 0x40, 0x53, 0x43, 0x5A, 0x5B
_FCB: Final = 0x20
_CI_TRANSPORT: Final = 0x80
_WITHOUT_HEADER: Final = {0x5B: 0x51}


class Answer(NamedTuple):
    """A frame to send ``delay_s`` after the one it answers, in a radio mode."""

    octets: bytes
    mode: str
    delay_s: float


def reply_window(mode: str) -> tuple[str, float]:
    """In which mode and how long after the end of its frame a meter is answered."""
    window = RESPONSES.get(mode[:1], RESPONSES["N"])
    return DOWNLINK.get(mode[:1], mode), window.aim_s


def confirm(own: Address, meter: Bound) -> Answer:
    """CNF-IR: the meter that asked to be installed is."""
    return _bare(own, meter, _CNF_IR)


def end(own: Address, meter: Bound) -> Answer:
    """SND-NKE: nothing more; the meter may sleep."""
    return _bare(own, meter, _SND_NKE)


def question(own: Address, meter: Bound) -> Answer:
    """REQ-UD2: asks what came of the order."""
    return _bare(own, meter, _REQ_UD2, access=_next_access(meter))


def reading(own: Address, meter: Bound) -> Answer:
    """REQ-UD2 with the frame count bit: a question of its own, not the last one again."""
    return _bare(own, meter, _REQ_UD2 | _FCB, access=_next_access(meter))


def alarm_question(own: Address, meter: Bound) -> Answer:
    """REQ-UD1: asks for the alarms, when a meter demands access."""
    return _bare(own, meter, _REQ_UD1)


def _next_access(meter: Bound) -> int:
    """The gateway's own access number: the meter's answer has the same, so no two answers of a session look alike."""
    meter.asked = (meter.asked + 1) & 0xFF
    return meter.asked


def _bare(own: Address, meter: Bound, control: int, *, access: int | None = None) -> Answer:
    number = meter.access if access is None else access
    tpl = Tpl(ci=_CI_TRANSPORT, header="long", address=meter.address, access=number)
    mode, delay_s = reply_window(meter.mode)
    return Answer(encode_radio(control, own, tpl.encode(), _coding(mode)), mode, delay_s)


def _coding(mode: str) -> str:
    return "B" if mode[:1] == "C" else "A"


def send_order(own: Address, meter: Bound, order: Order) -> Answer:
    """SND-UD with the order, protected; the meter's message counter is used up."""
    mode, delay_s = reply_window(meter.mode)
    return Answer(encode_radio(_SND_UD, own, _message(meter, order), _coding(mode)), mode, delay_s)


def send_firmware(own: Address, meter: Bound, request: ImageRequest) -> Answer:
    """SND-UD with a block, SND-UD2 with what the meter answers at once; protected as orders are."""
    mode, delay_s = reply_window(meter.mode)
    control = _SND_UD2 if request.answered else _SND_UD
    message = _sealed(meter, CI_REQUEST, request.payload)
    return Answer(encode_radio(control, own, message, _coding(mode)), mode, delay_s)


def bus_firmware(meter: Bound, request: ImageRequest) -> tuple[int, bytes]:
    """CI and data of a request for the two-wire bus."""
    message = _sealed(meter, CI_REQUEST, request.payload)
    return message[0], message[1:]


def bus_order(meter: Bound, order: Order) -> tuple[int, bytes]:
    """CI and data of the order for the two-wire bus; without a header where the meter knows no protection."""
    if not meter.protection and order.ci in _WITHOUT_HEADER:
        return _WITHOUT_HEADER[order.ci], order.payload
    message = _message(meter, order)
    return message[0], message[1:]


def _message(meter: Bound, order: Order) -> bytes:
    return _sealed(meter, order.ci, order.payload)


def _sealed(meter: Bound, ci: int, payload: bytes) -> bytes:
    meter.sent += 1
    wrapping = Wrapping(
        sender=meter.address,
        mode=meter.protection,
        key=meter.keys[0] if meter.keys else bytes(16),
        counter=meter.sent,
        long=True,
        from_meter=False,
    )
    afl, message = transport(wrapping, payload, access=_next_access(meter), ci=ci)
    return (b"" if afl is None else afl.encode()) + message
