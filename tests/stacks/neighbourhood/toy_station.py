"""A station without a norm, for tests of what is above and below stations: a frame is an APDU behind two addresses."""

from collections import deque

from meterway.base.errors import LocalProtocolError
from meterway.stacks.neighbourhood.station import EVERYONE, Apdu, Joined, Left, Member, Noticed, Outgoing

HELLO, WELCOME, DATA = 0, 1, 2


class ToyStation:
    """The coordinator if ``admit`` is given; a node says hello every ten seconds until it is welcome."""

    max_apdu = 1024

    def __init__(self, eui, admit=None):
        self.eui = eui
        self.members = {}
        self._admit = admit
        self._events, self._out = deque(), []
        self._due = None

    def start(self, now):
        if self._admit is None:
            self.handle_timeout(now)

    def receive_frame(self, octets, source, now, *, is_broadcast=False):
        if len(octets) < 11:
            self._events.append(Noticed(kind="short", message="a short frame", octets=octets))
            return
        kind, eui, client, server, apdu = octets[0], octets[1:9], octets[9], octets[10], octets[11:]
        if kind == HELLO and self._admit is not None and self._admit(eui) is not None:
            self.members[eui] = Member(eui=eui, node=source, address=len(self.members) + 1)
            self._events.append(Joined(member=self.members[eui]))
            self._out.append(Outgoing(bytes([WELCOME]) + self.eui + bytes(2), source))
        elif kind == WELCOME:
            self._due = None
            self.members[eui] = Member(eui=eui, node=source, address=0)
            self._events.append(Joined(member=Member(eui=self.eui, node=0, address=1)))
        elif kind == DATA:
            self._events.append(Apdu(eui=eui, apdu=apdu, client=client, server=server, is_broadcast=is_broadcast))

    def frames_to_send(self):
        out, self._out = self._out, []
        return out

    def next_event(self):
        return self._events.popleft() if self._events else None

    def next_timeout(self):
        return self._due

    def handle_timeout(self, now):
        self._due = now + 10.0
        self._out.append(Outgoing(bytes([HELLO]) + self.eui + bytes(2), EVERYONE))

    def send_apdu(self, eui, apdu, *, client, server, now, urgent=False):
        if eui is not None and eui not in self.members:
            raise LocalProtocolError(f"{eui.hex()} is no member")
        to = EVERYONE if eui is None else self.members[eui].node
        self._out.append(Outgoing(bytes([DATA]) + self.eui + bytes([client, server]) + apdu, to, urgent))

    def expel(self, eui, now):
        self._events.append(Left(member=self.members.pop(eui), reason="expelled"))
