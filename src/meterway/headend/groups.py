"""Groups of devices, what may be ordered of one, and how an order reaches its members."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import msgspec

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.hearers import is_heard
from meterway.mapping.home import LOAD_ORDER, RELAY_ALL
from meterway.mapping.profile import load_profile
from meterway.model.telegram import Json
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, Device

__all__ = [
    "KINDS",
    "Group",
    "GroupPlan",
    "Kind",
    "OrderWanted",
    "Part",
    "command_of",
    "groups",
    "keep",
    "members",
    "plan",
    "shown_by",
]

_PREFIX: Final = "group:"
_Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_DAY_S: Final = 86400.0

Kind = Literal["disconnect", "reconnect", "emergency", "clock", "load-off", "load-on"]


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who belongs to a group: all meters of concentrators, those named, all of a companion profile; any of these."""

    name: _Name
    nnaps: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()
    profile: str = ""


class OrderWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to a group. Times are Unix seconds; ``value`` is the emergency profile for ``emergency``.

    ``load-off`` and ``load-on`` are for load controllers; their ``value`` may name ``duration_s``, ``offset_s`` (the
    most that each waits at random) and ``emergency``. ``settle_s`` after it was sent the sample is read back.
    ``confidence`` and ``tolerated`` (shares of 1) say how large the sample is that is read back, ``sample`` says it
    outright. A dry run tells who would get the order and how, and does nothing.
    """

    kind: Kind
    value: object = None
    not_before: float = 0.0
    expires: float = 0.0
    confidence: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.95
    tolerated: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05
    sample: Annotated[int, msgspec.Meta(ge=0)] = 0
    settle_s: Annotated[float, msgspec.Meta(ge=0, le=86400)] = 0.0
    dry_run: bool = False

    def window(self, now: float) -> tuple[float, float]:
        """From when to when it may be carried out; ConfigError for a window that is empty or over."""
        start = self.not_before or now
        end = self.expires or max(start, now) + _DAY_S
        if end <= now or end <= start:
            raise ConfigError("expires: the order would be over before it begins")
        return start, end


class _LoadValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    duration_s: Annotated[int, msgspec.Meta(ge=0, le=7 * 86400)] = 0
    offset_s: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class _Check:
    """How a device shows that it has done it: an attribute, and the value it then has (None: the one written)."""

    attribute: str
    value: Json = None


KINDS: Final[dict[str, tuple[Command, _Check]]] = {
    "disconnect": (
        Command(obis=Obis(0, 0, 96, 3, 10), class_id=70, method="remote_disconnect"), _Check("output_state", False),
    ),
    "reconnect": (
        Command(obis=Obis(0, 0, 96, 3, 10), class_id=70, method="remote_reconnect"), _Check("output_state", True),
    ),
    "emergency": (
        Command(obis=Obis(0, 0, 17, 0, 0), class_id=71, attribute="emergency_profile"), _Check("emergency_profile"),
    ),
    "load-off": (
        Command(obis=RELAY_ALL, class_id=70, method="remote_disconnect"), _Check("output_state", False),
    ),
    "load-on": (
        Command(obis=RELAY_ALL, class_id=70, method="remote_reconnect"), _Check("output_state", True),
    ),
    "clock": (Command(obis=Obis(0, 0, 1, 0, 0), class_id=8, attribute="time", value="now"), _Check("time")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """The members behind one concentrator (or none: ``nnap`` None), and whether one broadcast reaches them."""

    nnap: Device | None
    members: tuple[Device, ...]
    is_broadcast: bool
    why: str
    """Why it is not by broadcast; empty if it is."""
    client: int = 1


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Who gets an order and how."""

    parts: tuple[Part, ...]

    @property
    def count(self) -> int:
        """How many devices."""
        return sum(len(part.members) for part in self.parts)


def keep(store: Store, group: Group) -> None:
    """Define a group, or define it anew; ConfigError for a member that is not in the registry, or none at all."""
    if not (group.nnaps or group.meters or group.profile):
        raise ConfigError(f"group {group.name}: concentrators, meters or a profile are wanted")
    for serial in (*group.nnaps, *group.meters):
        if store.devices.find(serial) is None:
            raise ConfigError(f"group {group.name}: {serial!r} is not in the registry")
    store.settings.put(_PREFIX + group.name, msgspec.json.encode(group).decode())


def groups(store: Store) -> list[Group]:
    """All groups, by name."""
    found = store.settings.all()
    return [msgspec.json.decode(text, type=Group) for name, text in found.items() if name.startswith(_PREFIX) and text]


def members(store: Store, name: str) -> list[Device]:
    """The devices of a group as they are now, by serial; ConfigError if there is no such group."""
    group = next((each for each in groups(store) if each.name == name), None)
    if group is None:
        raise ConfigError(f"there is no group {name!r}")
    found: dict[int, Device] = {}
    for serial in group.nnaps:
        nnap = store.devices.by_serial(serial)
        heard = {node.device for node in store.nodes.of_nnap(nnap.id) if is_heard(node)}  # they hear no broadcast
        found |= {
            child.id: child
            for child in store.devices.children(nnap.id)
            if child.utility != GATEWAY and child.id not in heard
        }
    found |= {device.id: device for device in map(store.devices.by_serial, group.meters)}
    if group.profile:
        found |= {each.id: each for each in store.devices.all() if each.profile == group.profile}
    return sorted((each for each in found.values() if each.utility != GATEWAY), key=lambda each: each.serial)


def command_of(wanted: OrderWanted) -> tuple[Command, str, Json]:
    """The command of an order, and the attribute with its value that shows it was carried out."""
    command, check = KINDS[wanted.kind]
    if wanted.kind == "emergency":
        if not isinstance(wanted.value, dict):
            raise ConfigError("value: an emergency profile is wanted (id, activation time, duration)")
        return (
            Command(obis=command.obis, class_id=71, attribute=command.attribute, value=wanted.value),
            check.attribute,
            None,
        )
    if wanted.kind in ("load-off", "load-on") and wanted.value is not None:
        return _load_order(wanted), check.attribute, check.value
    return command, check.attribute, check.value


def shown_by(wanted: OrderWanted) -> Command:
    """The read that tells whether a device has done what was ordered."""
    command, check = KINDS[wanted.kind]
    return replace(command, attribute=check.attribute, method="", value=None)


def _load_order(wanted: OrderWanted) -> Command:
    try:
        given = msgspec.convert(wanted.value, _LoadValue)
    except msgspec.ValidationError as error:
        raise ConfigError(f"value: {error}") from None
    fields: list[Json] = [
        secrets.randbits(31), 0, int(wanted.kind == "load-on"), 0, given.duration_s, given.offset_s,
        min(int(wanted.expires), 0xFFFFFFFF), int(given.emergency),
    ]  # fmt: skip
    return Command(obis=LOAD_ORDER, class_id=1, attribute="value", value=fields)


def plan(store: Store, devices: list[Device], wanted: OrderWanted, *, has_key: frozenset[int]) -> GroupPlan:
    """By broadcast only where all of a concentrator are meant that have the object: one more that hears it would do it.

    ``has_key`` are the concentrators whose meters' broadcast key is known.
    """
    by_nnap: dict[int | None, list[Device]] = {}
    for device in devices:
        node = store.nodes.find(device.id)
        by_nnap.setdefault(None if node is None or is_heard(node) else node.nnap, []).append(device)
    return GroupPlan(tuple(_part(store, nnap, found, wanted, has_key) for nnap, found in by_nnap.items()))


def _part(store: Store, nnap: int | None, found: list[Device], wanted: OrderWanted, has_key: frozenset[int]) -> Part:
    if nnap is None:
        return Part(None, tuple(found), False, "reached by itself")
    device = store.devices.get(nnap)
    everyone = {node.device for node in store.nodes.of_nnap(nnap)}
    obis = KINDS[wanted.kind][0].obis
    hearing = {
        child.id
        for child in store.devices.children(nnap)
        if child.utility != GATEWAY and child.id in everyone and _has(child.profile, obis)
    }
    clients = {_client(each.profile) for each in found}
    client = next(iter(clients)) if len(clients) == 1 else None
    why = ""
    if wanted.kind == "clock":
        why = "a concentrator sets the clocks itself, and knows how long a broadcast takes"
    elif hearing - {each.id for each in found}:
        why = "other meters would hear it too"
    elif nnap not in has_key:
        why = "the registry has no broadcast key for it"
    elif client is None:
        why = "its meters have no broadcast association in common"
    return Part(device, tuple(found), not why, why, client or 1)


def _has(profile: str, obis: Obis) -> bool:
    """Whether devices of a profile have an object; of a profile that is not known any may be there."""
    try:
        return obis in load_profile(profile or "idis").objects
    except ConfigError:
        return True


def _client(profile: str) -> int | None:
    try:
        found = load_profile(profile or "idis").associations
    except ConfigError:
        return None
    return next((each.client for each in found if each.pre_established and each.server == 1), None)
