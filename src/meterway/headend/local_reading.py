"""What a hand-held brought from a meter's local port: a file of the octets as the meter sent them.

The file is not decoded before it is taken in, so that what the store has can be held against what the meter said. Its
digest finds damage; it proves nothing about who wrote the file.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Final, Self

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.collect import Collected, Raw
from meterway.headend.contact import Outcome
from meterway.headend.fleet import Entry
from meterway.headend.harvest import Harvest, Sheaf, thresh
from meterway.headend.laying import Part, laid
from meterway.headend.layout import DeviceLayout
from meterway.headend.plan import LOAD_PROFILE
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.client.session import SessionDone
from meterway.store.database import Store

__all__ = ["FORMAT", "LocalReading", "Sent", "Taken", "take_in"]

FORMAT: Final = "meterway local reading 1"
_SERIAL: Final = str(Obis(0, 0, 96, 1, 0).short)
_CLOCK_INVALID_BEYOND_S: Final = 86400.0


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute as the meter sent it (hex), when it came and from when on rows were asked for (Unix seconds)."""

    obis: str
    data: str
    received_s: float
    from_s: float = 0.0

    @classmethod
    def of(cls, raw: Raw) -> Self:
        """From what a session collected."""
        return cls(obis=str(raw.obis), data=raw.octets.hex(), received_s=raw.received_s, from_s=raw.from_s)

    def raw(self) -> Raw:
        """Back again; ConfigError if it is no code or no hex."""
        try:
            return Raw(Obis.parse(self.obis), bytes.fromhex(self.data), self.received_s, self.from_s)
        except ValueError as error:
            raise ConfigError(f"the reading of {self.obis!r} is damaged: {error}") from None


class LocalReading(msgspec.Struct, frozen=True, kw_only=True):
    """All that one visit brought. ``who`` read it, ``at`` which address, from when on and how long."""

    serial: str
    """As the meter says itself."""
    who: str
    at: str
    started_s: float
    duration_s: float
    octets: int
    clock: str
    """The meter's clock as it sent it, hex."""
    clock_offset_s: float
    """How far it was ahead of the hand-held's."""
    layout: DeviceLayout
    registers: tuple[Sent, ...] = ()
    profiles: tuple[Sent, ...] = ()
    logs: tuple[Sent, ...] = ()
    refusals: tuple[tuple[str, str], ...] = ()
    format: str = FORMAT

    @classmethod
    def of(cls, collected: Collected, *, who: str, at: str, started_s: float, duration_s: float, octets: int) -> Self:
        """From a session that came to its end; ConfigError if the meter did not say who it is or what time it has."""
        layout, clock = collected.layout, collected.clock
        serial = layout.identity.get(_SERIAL, "") if layout is not None else ""
        if layout is None or not serial:
            raise ConfigError(f"the meter at {at} does not say its serial number")
        if clock is None or collected.clock_offset_s is None:
            raise ConfigError(f"the meter at {at} does not say its time")
        return cls(
            serial=serial,
            who=who,
            at=at,
            started_s=started_s,
            duration_s=duration_s,
            octets=octets,
            clock=clock.encode().hex(),
            clock_offset_s=collected.clock_offset_s,
            layout=layout,
            registers=tuple(Sent.of(raw) for raw in collected.registers),
            profiles=tuple(Sent.of(raw) for _, raw in collected.profiles),
            logs=tuple(Sent.of(raw) for raw in collected.logs),
            refusals=tuple(collected.refusals),
        )

    def encode(self) -> bytes:
        """The file: one line of JSON, one of its SHA-256."""
        body = msgspec.json.encode(self)
        return body + b"\n" + sha256(body).hexdigest().encode() + b"\n"

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """From a file; ConfigError if it is damaged or none of this format."""
        body, _, rest = octets.partition(b"\n")
        if rest.strip() != sha256(body).hexdigest().encode():
            raise ConfigError("this is no local reading, or it was altered: its digest does not fit")
        try:
            found = msgspec.json.decode(body, type=cls)
        except msgspec.MsgspecError as error:
            raise ConfigError(f"this is no local reading: {error}") from None
        if found.format != FORMAT:
            raise ConfigError(f"{found.format!r} is not {FORMAT!r}")
        return found

    @property
    def digest(self) -> str:
        """The SHA-256 that stands in the file."""
        return sha256(msgspec.json.encode(self)).hexdigest()

    def collected(self) -> Collected:
        """As a session would have left it; ConfigError if something in it is damaged."""
        try:
            clock = CosemDateTime.decode(bytes.fromhex(self.clock))
        except ValueError as error:
            raise ConfigError(f"the clock in the local reading is damaged: {error}") from None
        profiles = [(self.layout.profiles.get(sent.obis), sent.raw()) for sent in self.profiles]
        return Collected(
            layout=self.layout,
            clock=clock,
            clock_offset_s=self.clock_offset_s,
            registers=[sent.raw() for sent in self.registers],
            profiles=[(layout, raw) for layout, raw in profiles if layout is not None],
            logs=[sent.raw() for sent in self.logs],
            refusals=list(self.refusals),
        )


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of taking a file in: ``values`` it had, ``events`` that were new; ``cause`` ``ok`` or why nothing."""

    serial: str
    cause: str
    error: str
    values: int
    events: int
    digest: str


def take_in(store: Store, entry: Entry, reading: LocalReading, *, actor: str, now_ms: int) -> Taken:
    """Store what a hand-held brought, with the file's digest as evidence; the same file again changes nothing.

    What the head end asks for next is what is then still missing: its own marks stay where they are. ConfigError if
    the reading is of another meter or damaged.
    """
    if reading.serial != entry.device.serial:
        raise ConfigError(f"this is a reading of {reading.serial}, not of {entry.device.serial}")
    sheaf = _threshed(entry, reading)
    evidence = msgspec.json.encode({"source": "local", "who": reading.who, "sha256": reading.digest})
    parts = [Part(entry.device.id, block, evidence, has_all=True) for block in sheaf.blocks]
    readings = [replace(row, evidence=evidence) for row in sheaf.readings]
    told = f"{reading.digest} read by {reading.who} at {reading.at}: {sheaf.values} values"
    with store.transaction():
        store.blocks.upsert_many(list(laid(store, parts)), now_ms=now_ms)
        store.readings.add_many(readings, now_ms=now_ms)
        events = store.events.add_many(sheaf.events)
        store.contacts.add(replace(sheaf.contact(), kind="local"))
        store.audit.append(
            actor, "local-reading", time_ms=now_ms, result=sheaf.cause, device=entry.device.id, detail=told
        )
    return Taken(
        serial=reading.serial,
        cause=sheaf.cause,
        error=sheaf.error,
        values=sheaf.values,
        events=events,
        digest=reading.digest,
    )


def _threshed(entry: Entry, reading: LocalReading) -> Sheaf:
    collected = reading.collected()
    report = SessionDone(collected, (), reading.octets)
    harvest = Harvest(entry, None, collected, Outcome(report, reading.started_s, reading.duration_s))
    return thresh(harvest, load_profile=LOAD_PROFILE, clock_invalid_beyond_s=_CLOCK_INVALID_BEYOND_S)
