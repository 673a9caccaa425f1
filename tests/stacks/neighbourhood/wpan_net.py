"""A little network of stations on a virtual clock, whose carrier may lose, double, delay and reorder frames."""

import heapq
from random import Random

from meterway.stacks.neighbourhood.station import EVERYONE

EUI = b"COORDINA"


def eui_of(number):
    return b"NODE" + number.to_bytes(4, "big")


def key_of(eui):
    return bytes(8) + eui


def rng(seed):
    """``random`` for Settings, repeatable."""
    return Random(seed).randbytes


class Net:
    """Stations by node number; 0 is the coordinator's. ``fate(frame)`` gives the delays with which a frame arrives."""

    def __init__(self, *, fate=lambda frame: (0.05,)):
        self.now = 0.0
        self.stations, self.events, self.frames = {}, {}, []
        self.fate = fate
        self._queue, self._count = [], 0
        self._alarms = {}

    def add(self, number, station):
        self.stations[number] = station
        self.events[number] = []
        station.start(self.now)
        self.settle(number)

    def settle(self, number):
        """Collect what a station has to say and to send, set its timer."""
        station = self.stations[number]
        while (event := station.next_event()) is not None:
            self.events[number].append(event)
        for frame in station.frames_to_send():
            self.frames.append((number, frame))
            targets = [other for other in self.stations if other != number] if frame.to == EVERYONE else [frame.to]
            for target in targets:
                for delay in self.fate(frame):
                    self._push(self.now + delay, "frame", (target, frame.octets, number, frame.to == EVERYONE))
        due = station.next_timeout()
        if due is not None and self._alarms.get(number) != due:
            self._alarms[number] = due
            self._push(max(due, self.now), "timer", (number, due))

    def _push(self, when, what, args):
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, what, args))

    def run(self, seconds):
        until = self.now + seconds
        while self._queue and self._queue[0][0] <= until:
            self.now, _, what, args = heapq.heappop(self._queue)
            if what == "frame":
                target, octets, source, is_broadcast = args
                if target in self.stations:
                    self.stations[target].receive_frame(octets, source, self.now, is_broadcast=is_broadcast)
                    self.settle(target)
            else:
                number, due = args
                if self._alarms.get(number) == due:
                    del self._alarms[number]
                    if number in self.stations:
                        actual = self.stations[number].next_timeout()
                        if actual is not None and actual <= self.now:
                            self.stations[number].handle_timeout(self.now)
                        self.settle(number)
        self.now = until

    def send(self, number, eui, apdu, *, client=1, server=1, urgent=False):
        self.stations[number].send_apdu(eui, apdu, client=client, server=server, now=self.now, urgent=urgent)
        self.settle(number)

    def of(self, number, kind):
        return [event for event in self.events[number] if isinstance(event, kind)]
