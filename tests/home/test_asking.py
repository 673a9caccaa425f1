from meterway.base.obis import Obis
from meterway.home.asking import Asking, Refused
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor


def asking() -> Asking:
    client = DlmsClient(WrapperFraming(16, 1, role=Role.CLIENT), ClientSettings(response_timeout_s=5.0))
    return Asking(client, [AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)])


def test_a_line_that_closes_is_reported_once() -> None:
    engine = asking()
    engine.open(0.0)
    sent = engine.data_to_send()
    assert engine.octets == len(sent) > 0
    engine.receive_data(b"", 1.0)
    assert isinstance(engine.next_event(), Refused)
    assert engine.next_event() is None


def test_a_gateway_that_says_nothing_is_not_waited_for_for_ever() -> None:
    engine = asking()
    engine.open(0.0)
    due = engine.next_timeout()
    assert due == 5.0
    engine.handle_timeout(due)
    assert isinstance(engine.next_event(), Refused)
