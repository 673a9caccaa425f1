"""The device's side: every state with every input."""

from random import Random

import pytest

from meterway.base.errors import ProtocolError
from meterway.stacks.neighbourhood.eap_psk import Eap, EapCode, Protected, Result, Server
from meterway.stacks.neighbourhood.lbp import Grant, Joining, Lbp, LbpKind, Refused
from meterway.stacks.neighbourhood.lbp.joining import JoinState
from meterway.stacks.neighbourhood.lbp.message import eap_of, eap_to_lbp
from meterway.stacks.neighbourhood.lbp.parameters import ParameterResult, read_result

EUI, SERVER, PSK = b"METER001", b"COORDINA", bytes(range(16))
GRANT = Grant(short=7, keys={0: bytes(16)}, active=0)
PARAMETERS = GRANT.encode()
SUCCESS = Eap(code=EapCode.SUCCESS, identifier=1).encode()


def to_device(kind, packet=b""):
    return Lbp(kind=kind, eui=EUI, data=eap_to_lbp(packet) if packet else b"")


class Exchange:
    """A device brought to a state, the server's packets for it, and one of another exchange."""

    def __init__(self, state, extension=PARAMETERS, psk=PSK):
        self.device = Joining(EUI, PSK, Random(1).randbytes)
        self.server = Server(psk, SERVER, b"s" * 16)
        self.first = to_device(LbpKind.CHALLENGE, self.server.first())
        helper = Joining(EUI, psk, Random(1).randbytes)
        say = Protected(result=Result.SUCCESS, extension=extension)
        third = self.server.second(eap_of(helper.take(self.first).data), EUI, say)
        self.third = to_device(LbpKind.CHALLENGE, third)
        self.other = to_device(LbpKind.CHALLENGE, Server(PSK, SERVER, b"t" * 16).first())
        steps = {"asked": [], "proved": [self.first], "promised": [self.first, self.third]}
        steps["done"] = [*steps["promised"], to_device(LbpKind.ACCEPTED, SUCCESS)]
        for message in steps[state]:
            self.device.take(message)


def outcome(exchange, message):
    before = exchange.device.last
    try:
        step = exchange.device.take(message)
    except ProtocolError:
        return "error"
    if isinstance(step, Lbp):
        return "same" if step == before else "answer"
    return "nothing" if step is None else type(step).__name__


TABLE = {
    #            asked      proved     promised   done
    "first": ("answer", "same", "answer", "nothing"),
    "third": ("error", "answer", "same", "nothing"),
    "other": ("answer", "answer", "answer", "nothing"),
    "accepted": ("error", "error", "Grant", "nothing"),
    "failure": ("error", "error", "error", "nothing"),
    "decline": ("Refused", "Refused", "Refused", "nothing"),
    "kick": ("nothing", "nothing", "nothing", "nothing"),
    "joining": ("nothing", "nothing", "nothing", "nothing"),
    "garbage": ("error", "error", "error", "nothing"),
    "empty": ("error", "error", "error", "nothing"),
    "not mine": ("nothing", "nothing", "nothing", "nothing"),
}
STATES = ("asked", "proved", "promised", "done")
CELLS = [(state, name, row[at]) for name, row in TABLE.items() for at, state in enumerate(STATES)]


def message_of(exchange, name):
    failure = Eap(code=EapCode.FAILURE, identifier=1).encode()
    return {
        "first": exchange.first,
        "third": exchange.third,
        "other": exchange.other,
        "accepted": to_device(LbpKind.ACCEPTED, SUCCESS),
        "failure": to_device(LbpKind.ACCEPTED, failure),
        "decline": to_device(LbpKind.DECLINE),
        "kick": to_device(LbpKind.KICK),
        "joining": to_device(LbpKind.JOINING),
        "garbage": to_device(LbpKind.CHALLENGE, b"\x01\x00\x00\x05\x2f"),
        "empty": to_device(LbpKind.CHALLENGE),
        "not mine": Lbp(kind=LbpKind.DECLINE, eui=b"METER002"),
    }[name]


@pytest.mark.covers("IF-C", "SEC-03")
@pytest.mark.parametrize(("state", "name", "expected"), CELLS)
def test_every_state_with_every_message(state, name, expected):
    exchange = Exchange(state)
    assert outcome(exchange, message_of(exchange, name)) == expected


def test_the_way_from_asking_to_a_grant():
    exchange = Exchange("asked")
    device = exchange.device
    assert device.last == Lbp(kind=LbpKind.JOINING, eui=EUI)
    device.take(exchange.first)
    assert device.state is JoinState.PROVED
    device.take(exchange.third)
    assert device.state is JoinState.PROMISED
    assert device.take(to_device(LbpKind.ACCEPTED, SUCCESS)) == GRANT
    assert device.server == SERVER


def test_a_network_without_the_key_is_refused():
    exchange = Exchange("proved", psk=bytes(16))
    step = exchange.device.take(exchange.third)
    assert step == Refused(eui=EUI, reason="the network does not prove that it has the key")


@pytest.mark.parametrize(
    ("extension", "result"), [(None, ParameterResult.MISSING), (b"\x02\x1d\x01\x00", ParameterResult.INVALID)]
)
def test_parameters_that_cannot_be_are_answered_with_what_is_wrong(extension, result):
    exchange = Exchange("proved", extension=extension)
    answer = exchange.device.take(exchange.third)
    said = exchange.server.fourth(eap_of(answer.data))
    assert said.result is Result.FAILURE
    assert read_result(said.extension) is result
    assert exchange.device.state is JoinState.PROVED
