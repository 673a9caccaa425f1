"""A meter on the air: telegrams at its own times, and a short ear for an answer after each (EN 13757-4, OMS).

Pure: who runs it asks for what is due, tells what was heard, and sends what comes back.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from meterway.base.errors import DecodeError, LocalProtocolError, SecurityError
from meterway.links.radio import Reception
from meterway.meter.load import noise
from meterway.meter.mbus import records
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.orders import obey
from meterway.meter.mbus.wired import selected
from meterway.stacks.mbus.application import Alarm, ApplicationError
from meterway.stacks.mbus.build import Wrapping, radio_telegrams, transport
from meterway.stacks.mbus.ell import Ell
from meterway.stacks.mbus.image import CI_ANSWER_LONG, CI_ANSWER_SHORT
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.security import seal_payload
from meterway.stacks.mbus.telegram import Telegram, decode
from meterway.stacks.mbus.tpl import Tpl
from meterway.stacks.mbus.wireless.frames import RadioFrame, encode_radio
from meterway.stacks.mbus.wireless.modes import MODES, RESPONSES, duration_s

__all__ = ["Outgoing", "RadioMeter", "interval_s"]


class Outgoing(NamedTuple):
    """A frame to send, ``delay_s`` from now."""

    octets: bytes
    mode: str
    delay_s: float = 0.0


SND_NR, SND_IR, ACC_DMD, RSP_UD, ACK = 0x44, 0x46, 0x48, 0x08, 0x00
_SND_NKE, _CNF_IR, _ACK_OF_PARTNER = 0x40, 0x06, 0x00
_SND_UD, _SND_UD2, _REQ_UD1, _REQ_UD2 = (0x53, 0x73), (0x43,), (0x5A, 0x7A), (0x5B, 0x7B)

_ELL_SHORT: Final = 0x8C
_CC_BIDIRECTIONAL, _CC_FAST, _CC_SYNCHRONOUS, _CC_ACCESSIBLE = 0x80, 0x40, 0x20, 0x04
_CFG_BIDIRECTIONAL, _CFG_ACCESSIBLE, _CFG_SYNCHRONOUS = 0x8000, 0x4000, 0x2000
_CI_SHORT, _CI_LONG = 0x8A, 0x8B
_DATA: Final = (0x7A, 0x72)
_ALARM: Final = (0x74, 0x75)
_ERROR: Final = (0x6E, 0x6F)
_IMAGE: Final = (CI_ANSWER_SHORT, CI_ANSWER_LONG)

_INSTALL_TIMES: Final = 6
_INSTALL_S: Final = 30.0
_HISTORY_EVERY: Final = 4
_SESSION_S: Final = 10.0
_SESSION_BLOCKS: Final = 64
"""Blocks of an image for which the battery keeps the ear open after one telegram."""
_ROOM: Final = 205
_SEND_MA, _LISTEN_MA = 32.0, 14.0


def interval_s(nominal_s: float, access: int) -> float:
    """Time from the synchronous telegram with this access number to the next: up to 3 % around the nominal time.

    So that meters that meet once do not meet again; a receiver that knows the number knows when to listen.
    """
    return nominal_s * (1 + (abs(access - 128) - 64) / 2048)


class RadioMeter:
    """One meter on the air.

    ``grace_s`` is added to the end of its windows. A partner that was answered is heard for ten seconds more, unless
    it ends the session.
    """

    __slots__ = (
        "_announced",
        "_answer",
        "_error",
        "_installing",
        "_question",
        "_window",
        "grace_s",
        "meter",
        "next_s",
    )

    def __init__(self, meter: MbusMeter, unix_s: float, *, grace_s: float = 0.0) -> None:
        self.meter = meter
        self.grace_s = grace_s
        self.next_s = self._in_turn(unix_s)
        """When it next speaks by itself, Unix seconds."""
        self._window = (0.0, 0.0)
        self._question = b""
        self._answer: Outgoing | None = None
        self._error: ApplicationError | None = None
        self._installing = 0
        self._announced = meter.alarms
        meter.image_blocks = _SESSION_BLOCKS

    # -- by itself ----------------------------------------------------------------------------------------

    def install(self, unix_s: float) -> None:
        """Somebody pressed the button: ask six times to be taken in, until a partner confirms."""
        self._installing = _INSTALL_TIMES
        self.next_s = unix_s

    def installed(self, unix_s: float) -> None:
        """It is taken in and the installer is done: speak by the interval from now on, at a moment of its own."""
        self._installing = 0
        self.next_s = self._in_turn(unix_s)

    def _in_turn(self, unix_s: float) -> float:
        """A moment within the interval, of its own for each meter: two that keep step never hear one another out."""
        share = (noise(self.meter.usage.seed, 7) >> 11) / (1 << 53)
        return unix_s + share * self.meter.config.nominal_s

    def due(self, unix_s: float) -> tuple[Outgoing, ...]:
        """What it sends now by itself; nothing before ``next_s`` unless a new alarm is to be told."""
        meter = self.meter
        meter.advance(unix_s)
        demands = bool(meter.alarms & ~self._announced) and meter.config.two_way
        if unix_s < self.next_s and not demands:
            self._announced &= meter.alarms
            return ()
        self._question, self._answer, meter.answer = b"", None, b""  # what was asked in an earlier window is over
        if meter.image is not None:
            meter.image.open()
        if demands:
            self._announced = meter.alarms
            return (self._sent(self._demand(unix_s), unix_s),)
        return (self._installation(unix_s) if self._installing else self._periodic(unix_s),)

    def _periodic(self, unix_s: float) -> Outgoing:
        meter = self.meter
        counter = meter.next_counter()
        nominal = meter.config.nominal_s
        step = interval_s(nominal, counter & 0xFF)
        self.next_s = self.next_s + step if self.next_s + step > unix_s else unix_s + step
        self._announced = meter.alarms
        frame = self._frame(SND_NR, self._told(unix_s, counter), unix_s, counter, synchronous=True)
        return self._sent(frame, unix_s)

    def _told(self, unix_s: float, counter: int) -> bytes:
        """Most telegrams tell the present and the due date; every fourth the present and the months."""
        now = _octets(records.current(self.meter, unix_s))
        if counter % _HISTORY_EVERY == 0:
            months = _octets(records.history(self.meter, unix_s))
            if len(now) + len(months) <= _ROOM:
                return now + months
        return now + _octets(records.due(self.meter, unix_s))

    def _installation(self, unix_s: float) -> Outgoing:
        meter = self.meter
        counter = meter.next_counter()
        self._installing -= 1
        self.next_s = unix_s + (_INSTALL_S if self._installing else interval_s(meter.config.nominal_s, counter & 0xFF))
        told = _octets([*records.identity(meter, unix_s), *records.current(meter, unix_s)])
        return self._sent(self._frame(SND_IR, told, unix_s, counter), unix_s)

    def _demand(self, unix_s: float) -> bytes:
        """ACC-DMD: something happened, come and ask."""
        return self._bare(ACC_DMD, self.meter.next_counter() & 0xFF, unix_s)

    # -- answers ------------------------------------------------------------------------------------------

    def hear(self, reception: Reception) -> tuple[Outgoing, ...]:
        """Take a frame that names this meter, stamped with its end; the answer, if the meter listened and opens it."""
        octets, unix_s = reception.octets, reception.time_s
        if not self._listened(reception):
            return ()
        if octets == self._question and self._answer is not None:
            return (self._again(unix_s),)
        try:
            telegram = decode(octets, keys=[self.meter.key], link="radio", allow_plain=False)
            answer = self._reply(telegram, unix_s)
        except (DecodeError, SecurityError):
            return ()
        if answer is None:
            return ()
        mode = self.meter.config.radio
        self._question = octets
        self._answer = Outgoing(answer, mode, RESPONSES[mode[0]].opens_s)
        return (self._again(unix_s),)

    def _listened(self, reception: Reception) -> bool:
        """Whether the frame was on the air while the ear was open: it may last longer, and be late by the grace."""
        opens_s, closes_s = self._window
        mode = MODES.get(reception.mode)
        checks = bytes(2 * len(reception.octets) // 16 + 4)  # a receiver may have dropped them
        lasts_s = duration_s(mode, reception.octets + checks) if mode is not None else 0.0
        ends_s = reception.time_s
        return self.meter.config.two_way and opens_s <= ends_s <= closes_s + lasts_s + self.grace_s

    def _again(self, unix_s: float) -> Outgoing:
        answer = self._answer
        if answer is None:
            raise LocalProtocolError("there is no answer to repeat")
        self._sent(answer.octets, unix_s + answer.delay_s, session=True)
        return answer

    def _reply(self, telegram: Telegram, unix_s: float) -> bytes | None:
        control = telegram.frame.control if isinstance(telegram.frame, RadioFrame) else -1
        access = telegram.access or 0
        if control in (_SND_NKE, _CNF_IR):
            self._end_session()
            return None
        if control in _SND_UD:
            self._error = obey(self.meter, telegram, unix_s)
            return self._bare(ACK, access, unix_s)
        if control in _SND_UD2:
            self._error = obey(self.meter, telegram, unix_s)
            return self._data(access, unix_s)
        if control in _REQ_UD1:
            alarms = int(self.meter.alarms)
            if not alarms:
                return self._bare(ACK, access, unix_s)
            return self._message(Alarm(flags=alarms).encode(), _ALARM, access, unix_s)
        return self._data(access, unix_s) if control in _REQ_UD2 else None

    def _end_session(self) -> None:
        self._installing = 0
        self._window = (0.0, 0.0)
        self._question = b""
        self._answer = None

    def _data(self, access: int, unix_s: float) -> bytes:
        if self._error is not None:
            error, self._error = self._error, None
            return self._message(error.encode(), _ERROR, access, unix_s)
        if self.meter.answer:
            answer, self.meter.answer = self.meter.answer, b""
            return self._message(answer, _IMAGE, access, unix_s)
        parts = selected(self.meter, unix_s) if self.meter.application else [records.current(self.meter, unix_s)]
        return self._message(_octets(parts[0]), _DATA, access, unix_s)

    def _message(self, payload: bytes, cis: tuple[int, int], access: int, unix_s: float) -> bytes:
        counter = self.meter.next_counter()
        ci = cis[self.meter.config.long_header]
        return self._frame(RSP_UD, payload, unix_s, counter, ci=ci, access=access)

    # -- frames -------------------------------------------------------------------------------------------

    def _sent(self, frame: bytes, unix_s: float, *, session: bool = False) -> Outgoing:
        """Note what a frame costs, and listen after it."""
        meter = self.meter
        mode = meter.config.radio
        length_s = duration_s(MODES[mode], frame)
        meter.used_mas += length_s * _SEND_MA
        if meter.config.two_way:
            window = RESPONSES[mode[0]]
            ends_s = unix_s + length_s
            closes_s = ends_s + (_SESSION_S if session else window.closes_s)
            self._window = (ends_s + window.opens_s, closes_s)
            meter.used_mas += (window.closes_s - window.opens_s) * _LISTEN_MA
        return Outgoing(frame, mode)

    def _bare(self, control: int, access: int, unix_s: float) -> bytes:
        """A frame without application data."""
        meter = self.meter
        long = meter.config.long_header
        tpl = Tpl(
            ci=_CI_LONG if long else _CI_SHORT,
            header="long" if long else "short",
            address=meter.address if long else None,
            access=access,
            status=meter.status(unix_s),
            config=_CFG_BIDIRECTIONAL | _CFG_ACCESSIBLE,
        )
        return encode_radio(control, meter.address, tpl.encode(), meter.config.frame_format)

    def _frame(
        self,
        control: int,
        payload: bytes,
        unix_s: float,
        counter: int,
        *,
        ci: int | None = None,
        access: int | None = None,
        synchronous: bool = False,
    ) -> bytes:
        """A frame with application data in the meter's security profile.

        Profiles B and D tell how the meter is reached in an extended link layer; profile A and plain telegrams do so
        in the configuration field.
        """
        config = self.meter.config
        number = counter & 0xFF if access is None else access
        if config.security in (0, 5):
            return self._without_ell(control, payload, unix_s, number, ci, synchronous=synchronous)
        cc = _CC_SYNCHRONOUS if synchronous else 0
        if config.two_way:
            cc |= _CC_BIDIRECTIONAL | _CC_ACCESSIBLE | (_CC_FAST if config.radio[0] in "CN" else 0)
        wrapping = Wrapping(
            sender=self.meter.address,
            mode=config.security,
            key=self.meter.key,
            counter=counter,
            status=self.meter.status(unix_s),
            long=config.long_header,
            ell=Ell(ci=_ELL_SHORT, control=cc, access=number),
        )
        if ci is None:
            frames = radio_telegrams(wrapping, payload, access=number, control=control, coding=config.frame_format)
            return frames[0]
        afl, message = transport(wrapping, payload, access=number, ci=ci)
        body = (afl.encode() if afl is not None else b"") + message
        ell = wrapping.ell.encode() if wrapping.ell is not None else b""
        return encode_radio(control, self.meter.address, ell + body, config.frame_format)

    def _without_ell(
        self, control: int, payload: bytes, unix_s: float, access: int, ci: int | None, *, synchronous: bool
    ) -> bytes:
        meter, config = self.meter, self.meter.config
        long = config.long_header
        flags = _CFG_SYNCHRONOUS if synchronous else 0
        flags |= _CFG_BIDIRECTIONAL | _CFG_ACCESSIBLE if config.two_way else 0
        tpl = Tpl(
            ci=_DATA[long] if ci is None else ci,
            header="long" if long else "short",
            address=meter.address if long else None,
            access=access,
            status=meter.status(unix_s),
            config=flags | config.security << 8,
        )
        sealed = seal_payload(tpl, payload, meter.key, sender=meter.address)
        return encode_radio(control, meter.address, sealed.encode(), config.frame_format)


def _octets(told: list[Record]) -> bytes:
    return b"".join(record.encode() for record in told)
