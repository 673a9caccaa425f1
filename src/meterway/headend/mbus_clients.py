"""The M-Bus clients (class 72) of a gateway: which meters are behind it, and what is told to it about them. Scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.ciphers import aes_ecb_encrypt
from meterway.base.errors import ConfigError, DecodeError
from meterway.base.obis import Obis
from meterway.headend.collect import Collected, Part, get_many
from meterway.headend.commands import Answered, Command, act, write
from meterway.headend.layout import Behind
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class, typed
from meterway.stacks.dlms.classes.association import SapAssignment
from meterway.stacks.dlms.client.script import Act, Get, Script
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult
from meterway.stacks.mbus.address import Address

__all__ = ["CHANNELS", "client_of", "couple", "decouple", "list_behind", "transfer_key", "with_behind"]

CHANNELS: Final = range(1, 65)
"""Channels that a gateway's own logical device can show: those that OBIS group B has."""

_CLASS: Final = 72
_SAPS: Final = AttributeDescriptor(17, Obis(0, 0, 41, 0, 0), 2)
_FIELDS: Final = ("identification_number", "manufacturer_id", "version", "device_type")
_FIRST: Final = 6
_METERS: Final = AttributeDescriptor(1, Obis(0, 0, 128, 4, 1), 2)
_KEY_SIZE: Final = 16
_ADDRESS_SIZE: Final = 8
_LIST_MAX: Final = 16
ClassOf = Callable[[Obis], int | None]


def client_of(channel: int) -> Obis:
    """The logical name of a channel's M-Bus client; ConfigError for a channel that has none."""
    if channel not in CHANNELS:
        raise ConfigError(f"channel {channel}: a gateway shows channels {CHANNELS[0]} to {CHANNELS[-1]}")
    return Obis(0, channel, 24, 1, 0)


# -- what the gateway lists -------------------------------------------------------------------------------------------


def list_behind(list_max: int = _LIST_MAX, *, own_sap: int = 1) -> Script[tuple[Behind, ...] | None]:
    """The meters a gateway has bound; None if it did not say all of it: then nothing is known of who is gone.

    ``own_sap`` is the logical device of the gateway itself (1, or another if it lives in a meter); those of the meters
    follow it, by channel. Beyond the channels that have an M-Bus client a gateway of ours says in a list who is there.
    """
    saps = _saps((yield Get(_SAPS)))
    if saps is None:
        return None
    channels = [sap - own_sap for sap in saps if sap - own_sap in CHANNELS]
    items = [
        AttributeDescriptor(_CLASS, client_of(channel), _FIRST + place)
        for channel in channels
        for place in range(len(_FIELDS))
    ]
    answers = yield from get_many(items, list_max)
    numbers = [_number(item, answer) for item, answer in zip(items, answers, strict=True)]
    found = []
    for place, channel in enumerate(channels):
        address = _address(numbers[place * len(_FIELDS) : (place + 1) * len(_FIELDS)])
        if address is None:
            return None
        found.append(Behind(channel=channel, sap=channel + own_sap, address=address))
    beyond = {sap - own_sap for sap in saps if sap - own_sap > CHANNELS[-1]}
    if not beyond:
        return tuple(found)
    listed = _listed((yield Get(_METERS)))
    if not beyond <= listed.keys():
        return None
    more = [Behind(channel=channel, sap=channel + own_sap, address=listed[channel]) for channel in sorted(beyond)]
    return (*found, *more)


def with_behind(
    script: Script[Collected], into: Collected, *, list_max: int = _LIST_MAX, own_sap: int = 1
) -> Script[Collected]:
    """A collection, and after it, in the same session, what is behind."""
    yield from script
    into.behind = yield from list_behind(list_max, own_sap=own_sap)
    return into


def _listed(answer: object) -> dict[int, Address]:
    """Addresses by channel, of the list that a gateway has; empty if it is none."""
    rows = _value(_METERS, answer)
    found: dict[int, Address] = {}
    for row in rows if isinstance(rows, list | tuple) else ():
        match row:
            case [int(channel), bytes(octets)] if len(octets) == _ADDRESS_SIZE:
                found[channel] = Address.from_radio(octets)
            case _:
                return {}
    return found


def _saps(answer: object) -> list[int] | None:
    value = _value(_SAPS, answer)
    if not isinstance(value, tuple):
        return None
    return [row.sap for row in value if isinstance(row, SapAssignment)]


def _number(item: AttributeDescriptor, answer: object) -> int | None:
    value = _value(item, answer)
    return value if isinstance(value, int) else None


def _value(item: AttributeDescriptor, answer: object) -> object:
    if not isinstance(answer, bytes):
        return None
    try:
        return typed(item.class_id, item.attribute, axdr.decode_all(answer))
    except DecodeError:
        return None


def _address(numbers: list[int | None]) -> Address | None:
    ident, manufacturer, version, device_type = numbers
    if ident is None or manufacturer is None or version is None or device_type is None:
        return None
    return Address(manufacturer=manufacturer, ident=f"{ident:08X}", version=version, device_type=device_type)


# -- what the gateway is told -----------------------------------------------------------------------------------------


def couple(
    command: Command, class_of: ClassOf, *, address: Address | None = None, primary: int = 0, key: bytes = b""
) -> Script[Answered]:
    """Bind a meter to the channel of ``command``: the one of ``address``, or the only one that is proposed.

    ``primary`` is its primary address on a wired bus, ``key`` what its telegrams are opened with. The first refusal
    ends it.
    """
    if address is not None:
        for name, value in zip(_FIELDS, _numbers(address), strict=True):
            step = Command(obis=command.obis, class_id=_CLASS, attribute=name, value=value)
            answered = yield from write(step, class_of)
            if answered.refusal:
                return answered
    install = Command(obis=command.obis, class_id=_CLASS, method="slave_install", value=primary)
    installed: Answered = yield from act(install, class_of)
    if installed.refusal or not key:
        return installed
    return (yield from _hand_over(command.obis, "set_encryption_key", key))


def decouple(command: Command, class_of: ClassOf) -> Script[Answered]:
    """Release the meter of a channel; the gateway forgets it and its key."""
    return (yield from act(Command(obis=command.obis, class_id=_CLASS, method="slave_deinstall"), class_of))


def transfer_key(command: Command, _: ClassOf, *, new: bytes, present: bytes) -> Script[Answered]:
    """Give a meter a new key: to the meter wrapped under the one it has, then to the gateway by itself.

    The meter goes first: a gateway that knows both opens its telegrams before and after; one that was told a key the
    meter never gets would open none.
    """
    if len(new) != _KEY_SIZE or len(present) != _KEY_SIZE:
        raise ConfigError(f"a meter's key has {_KEY_SIZE} octets")
    told = yield from _hand_over(command.obis, "transfer_key", aes_ecb_encrypt(present, new))
    if told.refusal:
        return told
    return (yield from _hand_over(command.obis, "set_encryption_key", new))


def _hand_over(client: Obis, name: str, octets: bytes) -> Part[Answered]:
    """Call a method with a key; no answer repeats it."""
    index = interface_class(_CLASS).method(name).index
    answer = yield Act(MethodDescriptor(_CLASS, client, index), axdr.encode(axdr.octets(octets)))
    if not isinstance(answer, ActionOutcome):
        return Answered(obis=client, class_id=_CLASS, attribute=name, refusal="no-answer")
    refusal = "" if answer.result is ActionResult.SUCCESS else answer.result.word
    return Answered(obis=client, class_id=_CLASS, attribute=name, refusal=refusal)


def _numbers(address: Address) -> tuple[int, int, int, int]:
    return int(address.ident, 16), address.manufacturer, address.version, address.device_type
