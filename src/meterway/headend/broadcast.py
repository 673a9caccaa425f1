"""A command to everyone behind a concentrator: protected once under their broadcast key, handed over, asked after."""

from __future__ import annotations

import hmac
import time
from typing import Final, Protocol, TypeVar

from meterway.base.errors import ConfigError, LinkError, SecurityError
from meterway.headend.collector import Collector
from meterway.headend.commands import Answered, Command
from meterway.headend.config import HeadEndConfig
from meterway.headend.contact import Caller
from meterway.headend.fleet import Entry
from meterway.mapping.neighbourhood import GROUP_ORDERS, GroupOrder, OrderReport, decode_reports
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class, untyped
from meterway.stacks.dlms.client.script import Get, Script, Set
from meterway.stacks.dlms.client.session import SessionFailed
from meterway.stacks.dlms.security.context import AUTHENTICATED, BROADCAST, ENCRYPTED, Keys, SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.action import ActionRequestNormal
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult
from meterway.stacks.dlms.xdlms.set import SetRequestNormal
from meterway.store.database import Store
from meterway.store.devices import Device
from meterway.store.vault import Vault

__all__ = ["Hands", "broadcast_apdu", "deliver", "states"]

ResultT = TypeVar("ResultT")
_ORDERS: Final = AttributeDescriptor(1, GROUP_ORDERS, 2)
_UNCONFIRMED: Final = 0x81
_COUNTER: Final = "broadcast"


class Hands(Protocol):
    """What of a head end is needed to order things of its devices."""

    store: Store
    vault: Vault
    config: HeadEndConfig
    caller: Caller
    collector: Collector

    async def entry(self, serial: str) -> Entry:
        """A device ready to be called."""

    async def read(self, serial: str, command: Command, *, actor: str) -> Answered:
        """Read any attribute now."""

    async def set(self, serial: str, command: Command, *, actor: str) -> Answered:
        """Write any attribute now."""

    async def act(self, serial: str, command: Command, *, actor: str) -> Answered:
        """Call any method now."""


def broadcast_apdu(head_end: Hands, nnap: Device, command: Command) -> bytes:
    """The command as one unconfirmed request, in general-glo-ciphering under the broadcast key of its meters.

    The counter is on disk before it is used, and never below the time in Unix seconds: the key has one counter for all
    who send under it, also where meters of several concentrators share it. Call it in the thread that writes.
    SecurityError(key) without a key; ConfigError for a command that has no octets of its own.
    """
    opened = head_end.vault.open_all(nnap.serial, nnap.keys)
    if "gbek" not in opened:
        raise SecurityError(f"the registry has no broadcast key of {nnap.serial}", "key")
    with head_end.store.transaction():
        least = max(int(time.time()), _used(head_end, opened["gbek"]))
        taken = head_end.store.counters.reserve(nnap.id, _COUNTER, 1, at_least=least)
    context = SecurityContext(
        keys=Keys(opened["gbek"], opened.get("gbak") or opened.get("gak", b"")),
        own_title=head_end.config.title,
        peer_title=b"",
        send_counter=SendCounter(taken.start, end=taken.stop),
        received=ReceivedCounter(),
        control=AUTHENTICATED | ENCRYPTED | BROADCAST,
    )
    return context.protect_general(_request(command))


def _used(head_end: Hands, key: bytes) -> int:
    """The lowest counter that no broadcast under this key had: the same twice would give the key stream away."""
    vault, counters = head_end.vault, head_end.store.counters
    opened = ((each, vault.open_all(each.serial, each.keys)) for each in head_end.store.devices.gateways())
    sharing = [each.id for each, keys in opened if hmac.compare_digest(keys.get("gbek", b""), key)]
    return max((counters.next(device, _COUNTER) for device in sharing), default=0)


def _request(command: Command) -> bytes:
    if command.class_id is None:
        raise ConfigError("a broadcast needs the class of its object")
    known = interface_class(command.class_id)
    if command.method != "":
        method = known.method(command.method)
        called = MethodDescriptor(command.class_id, command.obis, method.index)
        parameters = axdr.encode(method.type.untyped(0 if command.value is None else command.value))
        return ActionRequestNormal(invoke=_UNCONFIRMED, method=called, parameters=parameters).encode()
    index = known.attribute(command.attribute).index
    value = axdr.encode(untyped(command.class_id, index, command.value))
    attribute = AttributeDescriptor(command.class_id, command.obis, index)
    return SetRequestNormal(invoke=_UNCONFIRMED, attribute=attribute, selection=None, value=value).encode()


async def deliver(head_end: Hands, nnap: str, order: GroupOrder) -> None:
    """Hand an order to a concentrator; LinkError and the like if it does not take it."""

    def script() -> Script[None]:
        answer = yield Set(_ORDERS, axdr.encode(order.encode()))
        if answer is not DataAccessResult.SUCCESS:
            word = answer.word if isinstance(answer, DataAccessResult) else "no answer"
            raise ConfigError(f"{nnap} refused the order: {word}")

    await _run(head_end, nnap, script())


async def states(head_end: Hands, nnap: str) -> tuple[OrderReport, ...]:
    """How a concentrator's last orders stand."""

    def script() -> Script[tuple[OrderReport, ...]]:
        answer = yield Get(_ORDERS)
        if not isinstance(answer, bytes):
            raise LinkError(f"{nnap} does not say how its orders stand")
        return decode_reports(answer)

    return await _run(head_end, nnap, script())


async def _run(head_end: Hands, serial: str, script: Script[ResultT]) -> ResultT:
    entry = await head_end.entry(serial)
    outcome = await head_end.caller.call(entry, script)
    if isinstance(outcome.report, SessionFailed):
        raise outcome.report.error
    return outcome.report.result
