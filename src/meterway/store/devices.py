"""The registry: what devices there are, where they are reached and how they are doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

import msgspec

from meterway.base.errors import StoreError
from meterway.store.driver import Row, Value
from meterway.store.session import Session

__all__ = ["DIRECT", "GATEWAY", "HOME", "Device", "Devices", "Flag", "NewDevice"]

GATEWAY: Final = "gateway"
"""The utility of a device that measures nothing itself: others are reached through it."""
HOME: Final = "home"
"""The utility of a device in the home that is commanded; what it takes, a meter measures too."""
DIRECT: Final = f"utility NOT IN ('{GATEWAY}', '{HOME}') AND (parent IS NULL OR id IN (SELECT device FROM node))"  # noqa: S608
"""The SQL condition on a device that measures something and answers for itself, if need be over a neighbourhood."""

Flag = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device on its way into the registry; ``keys`` are sealed by a ``Vault``, never in clear."""

    serial: str
    system_title: bytes | None = None
    utility: str = "electricity"
    protocol: str = "dlms"
    profile: str = ""
    transport: str = "tcp"
    host: str = ""
    port: int = 0
    sap: int = 1
    keys: bytes | None = field(default=None, repr=False)
    parent: int | None = None
    state: str = "registered"
    firmware: str = ""
    flags: Mapping[str, Flag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(NewDevice):
    """A registered device; ``seen_ms`` is when it last answered."""

    id: int
    added_ms: int
    changed_ms: int
    seen_ms: int | None = None


_GIVEN: Final = tuple(each.name for each in fields(NewDevice))
_ALL: Final = (*_GIVEN, "id", "added_ms", "changed_ms", "seen_ms")
_SELECT: Final = f"SELECT {', '.join(_ALL)} FROM device"  # noqa: S608
_INSERT: Final = (
    f"INSERT INTO device ({', '.join(_GIVEN)}, added_ms, changed_ms)"  # noqa: S608
    f" VALUES ({', '.join('?' * (len(_GIVEN) + 2))}) ON CONFLICT (serial) DO NOTHING"
)
_ORDERED: Final = " ORDER BY serial LIMIT :limit OFFSET :offset"


class Devices:
    """All registered devices. Serials are unique."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, device: NewDevice, *, now_ms: int) -> Device:
        """Register one device; StoreError if its serial is registered already."""
        with self._session.transaction():
            if self._session.write_many(_INSERT, [_row(device, now_ms)]) != 1:
                raise StoreError(f"the serial {device.serial!r} is registered already")
            return self.by_serial(device.serial)

    def add_many(self, devices: Iterable[NewDevice], *, now_ms: int) -> int:
        """Register all of them or none; how many. StoreError names the serials that are registered already or twice."""
        rows = [_row(device, now_ms) for device in devices]
        with self._session.transaction():
            known = {serial for (serial,) in self._session.read("SELECT serial FROM device")} if rows else set()
            doubles = []
            for row in rows:
                if row[0] in known:
                    doubles.append(str(row[0]))
                known.add(row[0])
            if doubles:
                more = f" and {len(doubles) - 5} more" if len(doubles) > 5 else ""
                raise StoreError(f"registered already: {', '.join(sorted(doubles)[:5])}{more}; nothing was added")
            if rows and self._session.write_many(_INSERT, rows) != len(rows):
                raise StoreError("a serial was registered by someone else meanwhile; nothing was added")
        return len(rows)

    def get(self, device: int) -> Device:
        """The device of an id; StoreError if there is none."""
        return self._one(f"{_SELECT} WHERE id = :id", {"id": device}, f"id {device}")

    def by_serial(self, serial: str) -> Device:
        """The device of a serial; StoreError if there is none."""
        return self._one(f"{_SELECT} WHERE serial = :serial", {"serial": serial}, f"serial {serial!r}")

    def find(self, serial: str) -> Device | None:
        """The device of a serial, or None."""
        rows = self._session.read(f"{_SELECT} WHERE serial = :serial", {"serial": serial})
        return _device(rows[0]) if rows else None

    def by_system_title(self, title: bytes) -> Device | None:
        """The device of a DLMS system title, or None."""
        rows = self._session.read(f"{_SELECT} WHERE system_title = :title ORDER BY id", {"title": title})
        return _device(rows[0]) if rows else None

    def search(self, text: str = "", *, state: str = "", limit: int = 50, offset: int = 0) -> list[Device]:
        """A page of the devices whose serial or host contains ``text`` (in any case), by serial."""
        where, params = _filter(text, state)
        rows = self._session.read(_SELECT + where + _ORDERED, {**params, "limit": limit, "offset": offset})
        return [_device(row) for row in rows]

    def count(self, text: str = "", *, state: str = "") -> int:
        """How many devices ``search`` would find in all its pages."""
        where, params = _filter(text, state)
        return int(self._session.read(f"SELECT count(*) FROM device{where}", params)[0][0])  # noqa: S608

    def all(self) -> list[Device]:
        """Every device, by id."""
        return [_device(row) for row in self._session.read(f"{_SELECT} ORDER BY id")]

    def children(self, parent: int) -> list[Device]:
        """The devices reached through another, by serial."""
        rows = self._session.read(f"{_SELECT} WHERE parent = :parent ORDER BY serial", {"parent": parent})
        return [_device(row) for row in rows]

    def direct(self) -> int:
        """How many meters answer for themselves: neither gateways nor logical devices of one."""
        rows = self._session.read(f"SELECT count(*) FROM device WHERE {DIRECT}")  # noqa: S608
        return int(rows[0][0])

    def gateways(self) -> list[Device]:
        """Everything that others are reached through, by serial."""
        rows = self._session.read(f"{_SELECT} WHERE utility = '{GATEWAY}' ORDER BY serial")
        return [_device(row) for row in rows]

    def alone(self) -> int:
        """How many meters are reached by themselves, behind nothing."""
        sql = f"SELECT count(*) FROM device WHERE parent IS NULL AND utility NOT IN ('{GATEWAY}', '{HOME}')"  # noqa: S608
        return int(self._session.read(sql)[0][0])

    def states(self) -> dict[str, int]:
        """How many devices are in each state."""
        return dict(self._session.read("SELECT state, count(*) FROM device GROUP BY state ORDER BY state"))

    def update(self, device: int, changes: Mapping[str, object], *, now_ms: int) -> None:
        """Set some fields of a ``NewDevice``, by name; StoreError for an unknown field or device."""
        unknown = set(changes) - set(_GIVEN)
        if unknown:
            raise StoreError(f"a device has no field {', '.join(sorted(unknown))}")
        params: dict[str, Value] = {"id": device, "changed_ms": now_ms}
        params.update({name: _value(name, value) for name, value in changes.items()})
        assigned = ", ".join(f"{name} = :{name}" for name in (*changes, "changed_ms"))
        if self._session.change(f"UPDATE device SET {assigned} WHERE id = :id", params) != 1:  # noqa: S608
            raise StoreError(f"there is no device of id {device}")

    def set_states(self, states: Sequence[tuple[int, str]], *, now_ms: int) -> None:
        """Set the state of many devices in one transaction."""
        rows = [(state, now_ms, device) for device, state in states]
        self._session.write_many("UPDATE device SET state = ?, changed_ms = ? WHERE id = ?", rows)

    def seen(self, seen: Sequence[tuple[int, int]]) -> None:
        """Note ``(device, when_ms)`` for devices that answered; an earlier time than the known one is ignored."""
        rows = [(when, device, when) for device, when in seen]
        self._session.write_many("UPDATE device SET seen_ms = ? WHERE id = ? AND coalesce(seen_ms, 0) < ?", rows)

    def _one(self, sql: str, params: Mapping[str, Value], what: str) -> Device:
        rows = self._session.read(sql, params)
        if not rows:
            raise StoreError(f"there is no device of {what}")
        return _device(rows[0])


def _filter(text: str, state: str) -> tuple[str, dict[str, Value]]:
    clauses, params = [], dict[str, Value]()
    if text:
        clauses.append("(lower(serial) LIKE :text ESCAPE '!' OR lower(host) LIKE :text ESCAPE '!')")
        plain = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        params["text"] = f"%{plain}%"
    if state:
        clauses.append("state = :state")
        params["state"] = state
    return (" WHERE " + " AND ".join(clauses) if clauses else ""), params


def _value(name: str, value: object) -> Value:
    if name == "flags":
        return msgspec.json.encode(value).decode()
    if value is None or isinstance(value, int | str | bytes):
        return value
    raise StoreError(f"{name} of a device cannot be {type(value).__name__}")


def _row(device: NewDevice, now_ms: int) -> Row:
    if not device.serial.strip():
        raise StoreError("a device needs a serial")
    return (*(_value(name, getattr(device, name)) for name in _GIVEN), now_ms, now_ms)


def _device(row: Row) -> Device:
    named = dict(zip(_ALL, row, strict=True))
    named["flags"] = msgspec.json.decode(named["flags"], type=dict[str, Flag])
    return Device(**named)
