"""A medium without a norm, for tests of stations: loses, doubles, delays and reorders frames, on a virtual clock."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush
from random import Random

from meterway.stacks.neighbourhood.station import EVERYONE, Apdu


class Carrier:
    """Drives stations. Chances are 0 to 1; a frame takes ``delay`` seconds, its copies up to ``late`` more."""

    def __init__(self, *, loss=0.0, double=0.0, damage=0.0, delay=0.05, late=0.0, seed=0):
        self.loss, self.double, self.damage, self.delay, self.late = loss, double, damage, delay, late
        self.random = Random(seed)
        self.now = 0.0
        self.stations = {}
        self.events = defaultdict(list)
        self.on_event = None
        self.frames = []
        self.deaf = set()
        self._flying = []
        self._count = 0

    def add(self, number, station, *, start=True):
        self.stations[number] = station
        if start:
            station.start(self.now)
            self.flush(number)
        return station

    def remove(self, number):
        return self.stations.pop(number)

    def flush(self, number):
        station = self.stations[number]
        while True:
            while (event := station.next_event()) is not None:
                self.events[number].append(event)
                if self.on_event is not None:
                    self.on_event(number, event)
            frames = station.frames_to_send()
            if not frames:
                return
            for frame in frames:
                self._send(number, frame)

    def _send(self, source, frame):
        self.frames.append((self.now, source, frame))
        targets = [one for one in self.stations if one != source] if frame.to == EVERYONE else [frame.to]
        for target in targets:
            copies = 1 + (self.random.random() < self.double)
            for _ in range(copies):
                if self.random.random() < self.loss:
                    continue
                octets = self._damaged(frame.octets)
                at = self.now + self.delay + self.random.random() * self.late
                self._count += 1
                heappush(self._flying, (at, self._count, source, target, octets, frame.to == EVERYONE))

    def _damaged(self, octets):
        if self.random.random() >= self.damage:
            return octets
        damaged = bytearray(octets)
        damaged[self.random.randrange(len(octets))] ^= 1 << self.random.randrange(8)
        return bytes(damaged)

    def inject(self, source, target, octets, *, is_broadcast=False):
        self.stations[target].receive_frame(octets, source, self.now, is_broadcast=is_broadcast)
        self.flush(target)

    def run(self, until):
        while True:
            due = [(when, number) for number, one in self.stations.items() if (when := one.next_timeout()) is not None]
            first = min(due, default=(float("inf"), -1))
            flying = self._flying[0][0] if self._flying else float("inf")
            at = min(first[0], flying)
            if at > until:
                break
            self.now = max(self.now, at)
            if flying <= first[0]:
                _, _, source, target, octets, is_broadcast = heappop(self._flying)
                if target in self.stations and not {source, target} & self.deaf:
                    self.stations[target].receive_frame(octets, source, self.now, is_broadcast=is_broadcast)
                    self.flush(target)
            else:
                self.stations[first[1]].handle_timeout(self.now)
                self.flush(first[1])
        self.now = until

    def send(self, number, eui, apdu, *, client=1, server=1, urgent=False):
        self.stations[number].send_apdu(eui, apdu, client=client, server=server, now=self.now, urgent=urgent)
        self.flush(number)

    def of(self, number, kind):
        return [event for event in self.events[number] if isinstance(event, kind)]

    def apdus(self, number):
        return [event.apdu for event in self.of(number, Apdu)]
