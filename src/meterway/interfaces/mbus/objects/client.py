"""The M-Bus client of a channel (class 72) and its valve (class 70): who the meter is, and what can be ordered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from meterway.base.errors import ConfigError, MeterwayError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.meters import Bound, KeyStatus, Profile
from meterway.interfaces.mbus.objects.table import Ask, Attr, Call, Method, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.mbus_client import DataDefinition
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.table import fixed
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.application import ClockOrder, Switch, switch
from meterway.stacks.mbus.records.record import make_record

__all__ = ["SHOWN_CHANNELS", "mbus_client", "order_switch", "valve_control"]

SHOWN_CHANNELS: Final = range(1, 65)
"""Channels that the gateway's own logical device can show: those OBIS group B has."""

_PORT: Final = Obis(0, 0, 24, 6, 0)
_TABLE: Final = interface_class(72, 1)
_RADIO: Final = 0xFE
_KEY_VIB: Final = b"\xfd\x19"
_LVAR: Final = 13
_FIELDS: Final = ("ident", "manufacturer", "version", "device_type")
_NOBODY: Final = {"ident": 0, "manufacturer": 0, "version": 0, "device_type": 0}


def _bound(ask: Ask, channel: int) -> Bound | None:
    return ask.site.ledger.gateway.channels.get(channel)


# -- who the meter is -------------------------------------------------------------------------------------


def _identity(channel: int, field: str) -> Attr:
    make = axdr.u32 if field == "ident" else axdr.u16 if field == "manufacturer" else axdr.u8

    def read(ask: Ask) -> Data:
        meter = _bound(ask, channel)
        if meter is None:
            return make(ask.site.wanted.get(channel, _NOBODY)[field])
        value = int(meter.address.ident, 16) if field == "ident" else getattr(meter.address, field)
        return make(int(value))

    def write(ask: Ask, value: Data) -> DataAccessResult:
        """What ``slave_install`` is to bind; a bound meter's identity is its own."""
        if not isinstance(value.value, int) or _bound(ask, channel) is not None:
            return DataAccessResult.READ_WRITE_DENIED
        ask.site.wanted.setdefault(channel, dict(_NOBODY))[field] = value.value
        return DataAccessResult.SUCCESS

    return Attr(read, write)


def _number(channel: int, name: str) -> Attr:
    make = axdr.u16 if name == "config" else axdr.u8

    def read(ask: Ask) -> Data:
        meter = _bound(ask, channel)
        return make(0 if meter is None else int(getattr(meter, name)) & (0xFFFF if name == "config" else 0xFF))

    return Attr(read)


def _primary(ask: Ask, channel: int) -> Data:
    meter = _bound(ask, channel)
    return axdr.u8(0 if meter is None else meter.primary if meter.primary is not None else _RADIO)


def _key_status(ask: Ask, channel: int) -> Data:
    meter = _bound(ask, channel)
    return axdr.enum(int(KeyStatus.NONE if meter is None else meter.key_status))


# -- methods ----------------------------------------------------------------------------------------------


def _install(channel: int) -> Call:
    """Bind the meter whose identity was set, or the one meter that is proposed; ``data`` is its primary address."""

    def call(ask: Ask, value: Data) -> ActionResult:
        gateway, wanted = ask.site.ledger.gateway, ask.site.wanted.get(channel)
        if wanted is not None and wanted != _NOBODY:
            address = Address(**{**wanted, "ident": f"{wanted['ident']:08X}"})  # type: ignore[arg-type]
        elif len(gateway.proposals) == 1:
            address = next(iter(gateway.proposals))
        else:
            return ActionResult.OTHER_REASON
        proposal = gateway.proposals.get(address)
        primary = value.value if isinstance(value.value, int) and 0 < value.value <= 250 else None
        meter = Bound(
            address=address,
            channel=channel,
            link="wired" if primary is not None else proposal.link if proposal is not None else "radio",
            primary=primary if primary is not None else proposal.primary if proposal is not None else None,
            security=Profile.B,
        )
        gateway.bind(meter, ask.now)
        ask.site.wanted.pop(channel, None)
        ask.site.ledger.keep_meter(meter)
        return ActionResult.SUCCESS

    return call


def _deinstall(channel: int) -> Call:
    def call(ask: Ask, _: Data) -> ActionResult:
        ask.site.forget_keys(channel)
        ask.site.ledger.gateway.unbind(channel, ask.now)
        ask.site.ledger.drop_meter(channel)
        return ActionResult.SUCCESS

    return call


def _capture(channel: int) -> Call:
    def call(ask: Ask, _: Data) -> ActionResult:
        meter = ask.site.meter(channel)
        if meter.link == "radio" and not meter.listens:
            return ActionResult.TEMPORARY_FAILURE  # nobody can ask it; the mirror is what there is
        if meter.link == "radio":
            return _order(ask, channel, "read", b"", detail="when it listens next")
        return ActionResult.SUCCESS if ask.site.poll(channel) else ActionResult.HARDWARE_FAULT

    return call


def _reset_alarm(channel: int) -> Call:
    def call(ask: Ask, _: Data) -> ActionResult:
        ask.site.meter(channel).alarm = 0
        ask.site.alarms.pop(channel, None)
        ask.site.keep_alarms()
        return ActionResult.SUCCESS

    return call


def _order(ask: Ask, channel: int, kind: str, payload: bytes, *, ci: int = 0x5B, detail: str = "") -> ActionResult:
    site = ask.site
    site.ledger.gateway.order(
        channel, kind, payload, now=ask.now, valid_s=site.order_valid_s, ci=ci, detail=detail, by=ask.party.name
    )
    site.ledger.keep_orders(channel)
    if site.meter(channel).link == "wired":
        site.poll(channel)
    return ActionResult.SUCCESS


def _clock(channel: int) -> Call:
    def call(ask: Ask, _: Data) -> ActionResult:
        local = datetime.fromtimestamp(ask.now, UTC).astimezone(ask.site.zone).replace(tzinfo=None, microsecond=0)
        order = ClockOrder(moment=local)
        return _order(ask, channel, "clock", order.encode(), ci=order.ci, detail="to the gateway's time")

    return call


def _send(channel: int) -> Call:
    kind = _TABLE.method("data_send").type

    def call(ask: Ask, value: Data) -> ActionResult:
        rows = kind.typed(value, [])
        payload = b""
        for row in rows if isinstance(rows, tuple) else ():
            data = row.data if isinstance(row, DataDefinition) else None
            if not isinstance(row, DataDefinition) or not isinstance(data, bytes):
                return ActionResult.TYPE_UNMATCHED
            payload += row.data_information_block + row.value_information_block + data
        return _order(ask, channel, "data", payload) if payload else ActionResult.OTHER_REASON

    return call


def _set_key(channel: int) -> Call:
    """The key comes protected by the association; what the meter itself must be told is ``transfer_key``."""

    def call(ask: Ask, value: Data) -> ActionResult:
        key = value.value
        if not isinstance(key, bytes):
            return ActionResult.TYPE_UNMATCHED
        gateway = ask.site.ledger.gateway
        meter = gateway.channel(channel)
        if not key:
            meter.keys, meter.key_status = (), KeyStatus.NONE
        else:
            gateway.set_key(channel, key, ask.now)
        ask.site.ledger.keep_meter(meter)
        return ActionResult.SUCCESS

    return call


def _transfer_key(channel: int) -> Call:
    """The new key, encrypted under the one the meter has, goes to the meter as it came."""

    def call(ask: Ask, value: Data) -> ActionResult:
        wrapped = value.value
        if not isinstance(wrapped, bytes) or len(wrapped) != 16:
            return ActionResult.TYPE_UNMATCHED
        return _order(ask, channel, "key", make_record(_KEY_VIB, wrapped, _LVAR).encode(), detail="transfer")

    return call


def guarded(call: Call) -> Call:
    """Errors of the gateway become refusals of the norm."""

    def safe(ask: Ask, value: Data) -> ActionResult:
        try:
            return call(ask, value)
        except Mismatch:
            return ActionResult.TYPE_UNMATCHED
        except ConfigError:
            return ActionResult.OBJECT_UNAVAILABLE
        except MeterwayError:
            return ActionResult.OTHER_REASON

    return safe


def mbus_client(channel: int, *, shown_as: int | None = None) -> Thing:
    """The client of a channel; in a meter's own logical device it is channel 1."""
    calls = (
        (_install(channel), Right.CONFIGURE),
        (_deinstall(channel), Right.CONFIGURE),
        (_capture(channel), Right.READ),
        (_reset_alarm(channel), Right.COMMAND),
        (_clock(channel), Right.COMMAND),
        (_send(channel), Right.COMMAND),
        (_set_key(channel), Right.CONFIGURE),
        (_transfer_key(channel), Right.CONFIGURE),
    )
    return Thing(
        class_id=72,
        obis=Obis(0, shown_as or channel, 24, 1, 0),
        version=1,
        attributes={
            2: fixed(axdr.octets(_PORT.encode())),
            3: fixed(axdr.array()),
            4: Attr(lambda ask: axdr.u32(ask.site.ledger.period_s)),
            5: Attr(lambda ask: _primary(ask, channel)),
            **{number: _identity(channel, field) for number, field in enumerate(_FIELDS, 6)},
            10: _number(channel, "access"),
            11: _number(channel, "status"),
            12: _number(channel, "alarm"),
            13: _number(channel, "config"),
            14: Attr(lambda ask: _key_status(ask, channel)),
        },
        methods={number: Method(guarded(call), right) for number, (call, right) in enumerate(calls, 1)},
    )


# -- valve ------------------------------------------------------------------------------------------------


def order_switch(ask: Ask, channel: int, *, connect: bool) -> ActionResult:
    """Order a valve to close, or to be released; gas flows again only when somebody at the meter opens it."""
    meter = ask.site.meter(channel)
    if meter.valve is None:
        return ActionResult.HARDWARE_FAULT
    position = Switch.CLOSED if connect else Switch.OPEN
    return _order(ask, channel, "valve", switch(position).encode(), detail="connect" if connect else "disconnect")


def _state(ask: Ask, channel: int) -> int:
    """The control state: 0 disconnected, 1 connected, 2 ready for reconnection."""
    meter = _bound(ask, channel)
    return 1 if meter is None or meter.valve is None else meter.valve


def _switch(channel: int, *, connect: bool) -> Call:
    return lambda ask, _: order_switch(ask, channel, connect=connect)


def valve_control(channel: int, *, shown_as: int | None = None) -> Thing:
    """The valve as a disconnect control; its state is the one the meter last reported."""
    return Thing(
        class_id=70,
        obis=Obis(0, shown_as or channel, 24, 4, 0),
        attributes={
            2: Attr(lambda ask: axdr.boolean(value=_state(ask, channel) == 1)),
            3: Attr(lambda ask: axdr.enum(_state(ask, channel))),
            4: fixed(axdr.enum(4)),
        },
        methods={
            1: Method(guarded(_switch(channel, connect=False)), Right.COMMAND),
            2: Method(guarded(_switch(channel, connect=True)), Right.COMMAND),
        },
    )
