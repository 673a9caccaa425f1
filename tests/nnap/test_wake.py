"""Wake-ups and calls from the field side."""

import asyncio

import pytest

from meterway.base.errors import DecodeError, SecurityError
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.nnap.api import WakeConfig
from meterway.nnap.site import Party
from meterway.nnap.wake import check_wake, greeting, wake_datagram
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.framing import ApduReceived, Role
from meterway.stacks.dlms.security.context import SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.store.party_counters import PartyCounters
from nnap.test_site import site
from nnap_network import START, Network, street, until

pytestmark = pytest.mark.covers("E-NNAP", "IF-G2")

HEAD = b"MWYHEAD1"


def made():
    network = Network(meters=1)
    party = Party(name="o", client=1, secret=bytes(16))
    one = site(network, (party,))
    return one, party, PartyCounters(network.store, one)


def wake(one, party, *, counter=5, now=START, keys=None):
    return wake_datagram(title=HEAD, keys=keys or one.keys(party, 0), counter=SendCounter(counter), now=now)


def test_a_genuine_wake_up_counts_once():
    one, party, counters = made()
    datagram = wake(one, party)
    check_wake(datagram, one, party, counters, now=START + 10, valid_s=60)
    with pytest.raises(SecurityError) as refused:
        check_wake(datagram, one, party, counters, now=START + 11, valid_s=60)
    assert refused.value.check == "counter"


def test_what_is_old_forged_or_no_wake_up_is_refused():
    one, party, counters = made()
    other = Party(name="o", client=1, secret=bytes([1] * 16))
    with pytest.raises(SecurityError):
        check_wake(wake(one, party, now=START - 100), one, party, counters, now=START, valid_s=60)
    with pytest.raises(SecurityError):
        check_wake(wake(one, party, counter=9, keys=one.keys(other, 0)), one, party, counters, now=START, valid_s=60)
    with pytest.raises(SecurityError):
        check_wake(b"\xc0\x01\xc1\x00\x01\x00\x00\x2a\x00\x00\xff\x02\x00", one, party, counters, now=START, valid_s=60)
    with pytest.raises(DecodeError):
        check_wake(b"", one, party, counters, now=START, valid_s=60)
    speech = SecurityContext(
        keys=one.keys(party, 0), own_title=HEAD, peer_title=b"", send_counter=SendCounter(50),
        received=ReceivedCounter(), control=0x30,
    )  # fmt: skip
    body = DataNotification(invoke=1, date_time=b"", body=b"\x00").encode()
    with pytest.raises(DecodeError):
        check_wake(speech.protect_general(body), one, party, counters, now=START, valid_s=60)


def test_a_greeting_that_is_sent_back_uses_up_no_counter_of_the_head_end():
    one, party, counters = made()
    for _ in range(9):
        own = greeting(one, party, counters, now=START)
    with pytest.raises(SecurityError) as refused:
        check_wake(own, one, party, counters, now=START, valid_s=60)
    assert refused.value.check == "title"
    check_wake(wake(one, party, counter=1), one, party, counters, now=START, valid_s=60)


def test_the_greeting_says_who_calls_under_the_keys_of_the_party():
    one, party, counters = made()
    envelope = decode_apdu(greeting(one, party, counters, now=START))
    assert envelope.system_title == one.title(0)
    head = SecurityContext(
        keys=one.keys(party, 0), own_title=HEAD, peer_title=one.title(0), send_counter=SendCounter(),
        received=ReceivedCounter(), control=0x30,
    )  # fmt: skip
    said = decode_apdu(head.open(envelope.protected))
    assert isinstance(said, DataNotification)
    assert one.flag.encode() in said.body


def test_a_woken_concentrator_opens_a_line_on_which_the_head_end_is_client(tmp_path):
    async def work():
        heard = []

        def line():
            framing = WrapperFraming(0, 0, role=Role.CLIENT, any_pair=True)
            return EngineProtocol(_Engine(framing, heard), lambda _: None)

        listener = await tcp.listen("127.0.0.1", 0, line)
        config = WakeConfig(port=listener.port, party="operator", listen_port=0, valid_s=60)
        async with street(tmp_path, meters=0, wake=config) as (nnap, _):
            party = nnap.site.parties[0]
            forged = wake_datagram(title=HEAD, keys=nnap.site.keys(party, 1 - 1), counter=SendCounter(1), now=1.0)
            nnap._woken(None, forged, None)
            nnap._woken(None, b"junk", None)
            genuine = wake_datagram(title=HEAD, keys=nnap.site.keys(party, 0), counter=SendCounter(7), now=nnap.now())
            nnap._woken(None, genuine, None)
            await until(lambda: heard)
            assert heard[0].apdu[:1] == b"\xdb"
            assert (heard[0].client, heard[0].server) == (1, 1)
            names = [event.code.name for event in nnap.device.events]
            assert names.count("WAKE_UP") + [e.code.name for e in nnap.store.events()].count("WAKE_UP") == 1
        listener.close()

    asyncio.run(work())


class _Engine:
    def __init__(self, framing, heard):
        self.framing, self.heard = framing, heard

    def receive_data(self, data, now):
        self.framing.receive_data(data, now)

    def next_event(self):
        event = self.framing.next_event()
        if isinstance(event, ApduReceived):
            self.heard.append(event)
        return event

    def data_to_send(self):
        return self.framing.data_to_send()

    def next_timeout(self):
        return None

    def handle_timeout(self, now):
        pass


def test_a_wake_up_under_another_kind_of_key_is_none():
    """The tag is not part of what is authenticated."""
    one, party, counters = made()
    datagram = wake(one, party)
    with pytest.raises(SecurityError, match="protected"):
        check_wake(b"\xdc" + datagram[1:], one, party, counters, now=START, valid_s=60)
    check_wake(datagram, one, party, counters, now=START, valid_s=60)
