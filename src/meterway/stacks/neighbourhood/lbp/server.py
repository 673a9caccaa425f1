"""The server's side of LBP (LBS): many devices at once, each in its own exchange.

It only answers. A message that comes again gets the same answer again; an exchange that does not go on is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meterway.base.errors import ProtocolError, SecurityError
from meterway.stacks.neighbourhood.eap_psk import Protected, Result, Server
from meterway.stacks.neighbourhood.eap_psk.keys import KEY_SIZE
from meterway.stacks.neighbourhood.lbp.joining import Refused
from meterway.stacks.neighbourhood.lbp.message import Lbp, LbpKind, eap_of, eap_to_lbp
from meterway.stacks.neighbourhood.lbp.parameters import Grant, ParameterResult, read_result
from meterway.stacks.neighbourhood.station import Admit

__all__ = ["Bootstrap", "Welcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """A device has proved its key and taken its parameters: it has joined."""

    eui: bytes
    short: int


class _Slot:
    """One device's exchange: what came last and what was answered."""

    __slots__ = ("answer", "came", "due", "is_done", "proved", "server")

    def __init__(self, server: Server, due: float) -> None:
        self.server = server
        self.due = due
        self.proved = False
        self.is_done = False
        self.came = b""
        self.answer: Lbp | None = None


class Bootstrap:
    """``grant`` gives a device its address and the keys; ``limit`` bounds how many exchanges go on at once."""

    __slots__ = ("_admit", "_eui", "_grant", "_limit", "_random", "_slots", "_timeout")

    def __init__(
        self,
        eui: bytes,
        admit: Admit,
        grant: Callable[[bytes], Grant | None],
        random: Callable[[int], bytes],
        *,
        timeout_s: float = 120.0,
        limit: int = 64,
    ) -> None:
        self._eui = eui
        self._admit = admit
        self._grant = grant
        self._random = random
        self._timeout = timeout_s
        self._limit = limit
        self._slots: dict[bytes, _Slot] = {}

    def take(self, message: Lbp, now: float) -> tuple[Lbp | None, Welcome | Refused | None]:
        """What to answer, and what became of the device; ProtocolError for what is wrong and not answered."""
        if message.kind is not LbpKind.JOINING:
            return None, None
        slot = self._slots.get(message.eui)
        if slot is not None:
            # Who was heard last stands last, so that the first is the oldest.
            slot.due = now + self._timeout
            self._slots[message.eui] = self._slots.pop(message.eui)
        if not message.data:
            return self._begin(message.eui, slot, now)
        if slot is None:
            raise ProtocolError("a device goes on with an exchange that is not known")
        if message.data == slot.came:
            return slot.answer, None
        if slot.is_done:
            raise ProtocolError("a device goes on with an exchange that has ended")
        packet = eap_of(message.data)
        if not slot.proved:
            return self._second(message, slot, packet)
        return self._fourth(message, slot, packet)

    def next_timeout(self) -> float | None:
        """When the oldest exchange is forgotten: all last equally long, so it is the first."""
        return next(iter(self._slots.values())).due if self._slots else None

    def expire(self, now: float) -> None:
        """Forget what is too old."""
        while self._slots:
            eui = next(iter(self._slots))
            if self._slots[eui].due > now:
                break
            del self._slots[eui]

    def _begin(self, eui: bytes, slot: _Slot | None, now: float) -> tuple[Lbp | None, Refused | None]:
        if slot is not None and not slot.proved and slot.answer is not None:
            return slot.answer, None
        psk = self._admit(eui)
        if psk is None:
            return _decline(eui), Refused(eui=eui, reason="the device may not join")
        if len(psk) != KEY_SIZE:
            return _decline(eui), Refused(eui=eui, reason=f"no key of {KEY_SIZE} octets is known for the device")
        self._slots.pop(eui, None)
        if len(self._slots) >= self._limit and not self._make_room():
            raise ProtocolError("too many devices join at once: this one must ask again")
        slot = self._slots[eui] = _Slot(Server(psk, self._eui, self._random(16)), now + self._timeout)
        slot.answer = _challenge(eui, slot.server.first())
        return slot.answer, None

    def _make_room(self) -> bool:
        """Forget the oldest exchange that has ended, whose answer may have to be repeated no longer."""
        ended = next((eui for eui, slot in self._slots.items() if slot.is_done), None)
        if ended is None:
            return False
        del self._slots[ended]
        return True

    def _second(self, message: Lbp, slot: _Slot, packet: bytes) -> tuple[Lbp | None, Refused | None]:
        grant = self._grant(message.eui)
        if grant is None:
            return self._refuse(message.eui, slot, "all short addresses are given away")
        say = Protected(result=Result.SUCCESS, extension=grant.encode())
        try:
            third = slot.server.second(packet, message.eui, say)
        except SecurityError as error:
            return self._refuse(message.eui, slot, error.message)
        slot.proved = True
        slot.came, slot.answer = message.data, _challenge(message.eui, third)
        return slot.answer, None

    def _fourth(self, message: Lbp, slot: _Slot, packet: bytes) -> tuple[Lbp | None, Welcome | Refused | None]:
        try:
            said = slot.server.fourth(packet)
        except SecurityError as error:
            raise ProtocolError(error.message) from error
        taken = said.result is Result.SUCCESS and read_result(said.extension) is ParameterResult.SUCCESS
        grant = self._grant(message.eui)
        if not taken or grant is None:
            return self._refuse(message.eui, slot, "the device did not take its parameters")
        slot.came, slot.is_done = message.data, True
        data = eap_to_lbp(slot.server.end(success=True))
        slot.answer = Lbp(kind=LbpKind.ACCEPTED, eui=message.eui, data=data)
        return slot.answer, Welcome(eui=message.eui, short=grant.short)

    def _refuse(self, eui: bytes, slot: _Slot, reason: str) -> tuple[Lbp, Refused]:
        del self._slots[eui]
        return _decline(eui, slot.server), Refused(eui=eui, reason=reason)


def _challenge(eui: bytes, packet: bytes) -> Lbp:
    return Lbp(kind=LbpKind.CHALLENGE, eui=eui, data=eap_to_lbp(packet))


def _decline(eui: bytes, server: Server | None = None) -> Lbp:
    data = b"" if server is None else eap_to_lbp(server.end(success=False))
    return Lbp(kind=LbpKind.DECLINE, eui=eui, data=data)
