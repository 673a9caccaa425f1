"""A companion profile: which objects the meters of a country have, who may use them, what their events mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.stacks.dlms.classes import CaptureObject

__all__ = [
    "Association",
    "Authentication",
    "Collect",
    "CompanionProfile",
    "EventCode",
    "ProfileObject",
    "Role",
    "Severity",
]

Authentication = Literal["none", "lls", "hls3", "hls4", "hls5", "hls6", "hls7"]
Collect = Literal["", "identity", "clock", "register", "profile", "log", "state"]
Role = Literal["meter", "home"]
"""What devices of a profile are to a neighbourhood, where they are no gateways."""
Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """How a client reaches the meter. ``objects`` None means all; ``configure`` allows to set and act."""

    name: str
    client: int
    server: int = 1
    authentication: Authentication = "none"
    configure: bool = False
    pre_established: bool = False
    objects: frozenset[Obis] | None = None

    def shows(self, obis: Obis) -> bool:
        """Whether the object is in this association's list."""
        return self.objects is None or obis in self.objects


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileObject:
    """One object. ``static`` holds typed values by attribute number, as the factory sets them.

    ``settable`` and ``callable`` are the attributes and methods open to associations that configure. ``collect``
    says what a head end reads it as; ``log`` names the event log whose codes it holds.
    """

    obis: Obis
    name: str
    class_id: int
    version: int
    static: Mapping[int, object]
    settable: frozenset[int] = frozenset()
    callable: frozenset[int] = frozenset()
    collect: Collect = ""
    log: str = ""

    @property
    def capture_objects(self) -> tuple[CaptureObject, ...]:
        """The columns of a profile; empty for other classes."""
        value = self.static.get(3) if self.class_id == 7 else None
        return tuple(item for item in value if isinstance(item, CaptureObject)) if isinstance(value, tuple) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCode:
    """What a number in an event log means."""

    log: str
    code: int
    name: str
    title: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanionProfile:
    """A kind of meter, for the virtual meter that is one and for the head end that reads one."""

    name: str
    title: str
    associations: tuple[Association, ...]
    objects: Mapping[Obis, ProfileObject]
    events: Mapping[tuple[str, int], EventCode]
    names: tuple[str, ...] = ()
    """How devices of this kind call themselves: patterns of logical device names (``MWYH-*``)."""
    role: Role = "meter"

    def association(self, client: int) -> Association | None:
        """The association of a client address, or None."""
        return next((entry for entry in self.associations if entry.client == client), None)

    def object(self, obis: Obis) -> ProfileObject:
        """The object of that name; ConfigError if the profile has none."""
        found = self.objects.get(obis)
        if found is None:
            raise ConfigError(f"profile {self.name} has no object {obis}")
        return found

    def collected(self, what: Collect) -> tuple[ProfileObject, ...]:
        """The objects a head end reads as ``what``, in the order of the file."""
        return tuple(entry for entry in self.objects.values() if entry.collect == what)

    def event(self, log: str, code: int) -> EventCode:
        """What a code in a log means; one that no table knows is a warning named by its number."""
        found = self.events.get((log, code))
        if found is not None:
            return found
        return EventCode(log=log, code=code, name=f"event-{code}", title=f"Event {code}", severity="warning")
