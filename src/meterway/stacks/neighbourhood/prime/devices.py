"""What a PRIME base node knows of the devices around it: by LNID, by EUI-48, and those only offered an LNID."""

from __future__ import annotations

from meterway.stacks.neighbourhood.prime.link import Link
from meterway.stacks.neighbourhood.prime.packet import UNREGISTERED_LNID
from meterway.stacks.neighbourhood.prime.states import DeviceState
from meterway.stacks.neighbourhood.station import Member

__all__ = ["Device", "Devices"]


class Device:
    """What the base node knows of one LNID."""

    __slots__ = ("attempts", "eui48", "heard_at", "link", "lnid", "member", "node", "sent", "state")

    def __init__(self, lnid: int, eui48: bytes, node: int) -> None:
        self.lnid = lnid
        self.eui48 = eui48
        self.node = node
        self.state = DeviceState.UNKNOWN
        self.member: Member | None = None
        self.link: Link | None = None
        self.attempts = 0
        """How often the same was said without an answer."""
        self.sent = 0
        """The number of the last keep-alive."""
        self.heard_at = 0.0


class Devices:
    """All of them. A device that registers anew has two LNIDs until it acknowledges the new one."""

    __slots__ = ("_by_eui48", "_by_lnid", "_last", "_offers", "members")

    def __init__(self) -> None:
        self._by_lnid: dict[int, Device] = {}
        self._by_eui48: dict[bytes, Device] = {}
        self._offers: dict[bytes, Device] = {}
        self._last = 0
        self.members: dict[bytes, Member] = {}
        """Who has joined, by EUI."""

    @property
    def joining(self) -> int:
        """How many are on their way in."""
        return len(self._offers) + len(self._by_eui48) - len(self.members)

    def begin_at(self, lnid: int) -> None:
        """Let LNIDs be given from the one after ``lnid`` on."""
        self._last = lnid

    def behind(self, lnid: int) -> Device | None:
        """The device with an LNID, or None."""
        return self._by_lnid.get(lnid)

    def of(self, eui: bytes) -> Device | None:
        """The device of a member, or None."""
        member = self.members.get(eui)
        return None if member is None else self._by_lnid.get(member.address)

    def offered(self, eui48: bytes) -> Device | None:
        """The device that has not acknowledged its LNID yet, or None."""
        return self._offers.get(eui48)

    def offer(self, eui48: bytes, node: int) -> Device | None:
        """Give a new LNID to a device; None if there is none left."""
        lnid = self.next_lnid()
        if lnid is None:
            return None
        device = self._by_lnid[lnid] = self._offers[eui48] = Device(lnid, eui48, node)
        return device

    def next_lnid(self) -> int | None:
        """The LNID least recently used, so that late packets find nobody; None if all are taken."""
        for _ in range(UNREGISTERED_LNID - 1):
            self._last = self._last % (UNREGISTERED_LNID - 1) + 1
            if self._last not in self._by_lnid:
                return self._last
        return None

    def register(self, device: Device) -> Device | None:
        """The device has taken its LNID; what it had before, or None."""
        self._offers.pop(device.eui48, None)
        former = self._by_eui48.get(device.eui48)
        self._by_eui48[device.eui48] = device
        return None if former is device else former

    def is_registered(self, device: Device) -> bool:
        """Whether this is what its EUI-48 stands for."""
        return self._by_eui48.get(device.eui48) is device

    def unregister(self, device: Device) -> None:
        """Let its EUI-48 stand for nothing; its LNID stays taken."""
        for index in (self._offers, self._by_eui48):
            if index.get(device.eui48) is device:
                del index[device.eui48]

    def drop(self, device: Device) -> None:
        """Forget it, and free its LNID."""
        self.unregister(device)
        self._by_lnid.pop(device.lnid, None)
