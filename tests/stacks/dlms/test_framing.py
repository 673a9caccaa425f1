"""A framing around another."""

from meterway.stacks.dlms.framing import ApduReceived, Connected, FramingAround, Role
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.wrapper.frame import encode_frame


def test_what_it_does_not_do_itself_the_inner_one_does():
    around = FramingAround(WrapperFraming(1, 16, role=Role.CLIENT))
    around.connect(0.0)
    assert around.next_event() == Connected()
    around.send(b"\xc0", 0.0)
    assert around.data_to_send() == encode_frame(1, 16, b"\xc0")
    assert around.data_to_send() == b""
    around.receive_data(encode_frame(16, 1, b"\xc4"), 0.0)
    assert around.next_event() == ApduReceived(apdu=b"\xc4", client=1, server=16)
    assert around.next_timeout() is None
    around.handle_timeout(1.0)
    around.disconnect(0.0)
    assert around.next_event().error is None
