"""Devices from a CSV file into the registry: all lines that are right, and a clear word on each that is not."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from meterway.base.errors import ConfigError
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.route import is_concentrator, is_gateway, utility_of
from meterway.mapping.profile import load_profile
from meterway.store.database import Store
from meterway.store.devices import Device, NewDevice
from meterway.store.tasks import NewTask
from meterway.store.vault import Vault

__all__ = ["COLUMNS", "Imported", "import_csv"]

COLUMNS: Final = {
    "serial": "the device's number, unique in the registry",
    "system_title": "8 octets as hex (may be empty: learnt when associating)",
    "profile": "companion profile, e.g. idis",
    "transport": "tcp (wrapper) or hdlc (HDLC on TCP); default tcp",
    "host": "address or name",
    "port": "TCP port",
    "sap": "logical device, default 1",
    "physical": "HDLC physical address, default 17",
    "address_size": "octets of the HDLC address: 1, 2 or 4; default 2",
    "client": "client SAP to associate as, default 1",
    "mechanism": "0 none, 1 LLS, 3 to 6 HLS; default 5",
    "guek": "global unicast encryption key, 16 octets as hex",
    "gak": "authentication key, 16 octets as hex",
    "gbek": "of a concentrator: the broadcast key its meters share, 16 octets as hex",
    "gbak": "of a concentrator: the authentication key of broadcasts, 16 octets as hex",
    "secret": "LLS or HLS secret as text, or hex after 0x; of a gateway, what all keys there derive from",
    "wake": "of a device that calls in: host:port where a datagram wakes it",
    "party": "as whom a gateway is asked, default operator",
}
_REQUIRED: Final = ("serial", "host", "port")
_LIMITS: Final = {"port": 65535, "sap": 16383, "physical": 16383, "address_size": 4, "client": 127, "mechanism": 6}


@dataclass(slots=True)
class Imported:
    """``added`` and ``completed`` devices; ``errors`` one line of text for each line of the file that was left out."""

    added: int = 0
    completed: int = 0
    errors: list[str] = field(default_factory=list)


def import_csv(text: TextIO, *, name: str, store: Store, vault: Vault, now_ms: int) -> Imported:
    """Add the devices of a CSV file with a header line; due for collection at once.

    A line that is wrong, or whose serial is already known, is left out and named with file, line and field. ConfigError
    if the header itself cannot be used or the file is no UTF-8 text: then nothing is added. A device that was found
    behind a concentrator is there without keys: a line that has some completes it, place and profile stay as found.
    """
    rows = csv.DictReader(_checked(text, name), strict=True)
    try:
        header = [column.removeprefix("\ufeff").strip() for column in rows.fieldnames or []]
    except csv.Error as error:
        raise ConfigError(f"{name} line 1: {error}") from None
    _check_header(name, header)
    rows.fieldnames = header
    registered = store.devices.all()
    known = {device.serial: "the registry" for device in registered}
    found = {one.serial: one for one in registered if one.keys is None and one.parent is not None}
    result = Imported()
    fresh: list[NewDevice] = []
    keyed: list[tuple[Device, NewDevice]] = []
    while True:
        try:
            row = next(rows, None)
            if row is None:
                break
            place = f"{name} line {rows.line_num}"
            device = _device(place, row, vault)
            if device.serial in found and device.keys is not None:
                keyed.append((found.pop(device.serial), device))
                continue
            if device.serial in known:
                raise ConfigError(f"{place}: serial {device.serial} is already in {known[device.serial]}")
        except csv.Error as error:
            result.errors.append(f"{name} line {rows.reader.line_num}: {error}")
            continue
        except ConfigError as error:
            result.errors.append(str(error))
            continue
        known[device.serial] = f"line {rows.line_num}"
        fresh.append(device)
    result.added = _add(fresh, store, now_ms)
    result.completed = _complete(keyed, store, now_ms)
    return result


def _checked(text: TextIO, name: str) -> Iterator[str]:
    """The lines; ConfigError where one is no text."""
    number = 0
    while True:
        number += 1
        try:
            line = next(text, None)
        except UnicodeDecodeError as error:
            raise ConfigError(f"{name} line {number} or after: not UTF-8 ({error.reason})") from None
        if line is None:
            return
        yield line


def _add(fresh: list[NewDevice], store: Store, now_ms: int) -> int:
    with store.transaction():
        added = store.devices.add_many(fresh, now_ms=now_ms)
        serials = {device.serial for device in fresh}
        known = store.devices.all()
        concentrators = {_place(device) for device in known if is_concentrator(device.profile)}
        tasks = [
            NewTask(device=device.id, kind="collect", due_ms=now_ms, name=f"first:{device.id}")
            for device in known
            if device.serial in serials and (is_concentrator(device.profile) or _place(device) not in concentrators)
        ]
        store.tasks.add_many(tasks, now_ms=now_ms)
    return added


def _place(device: Device) -> tuple[str, int, int]:
    """Where it is. What has the place of a concentrator is behind that, and is due when that one says so.

    To ask for it there before would look like an attack: a wrong key.
    """
    return device.host, device.port, device.sap


def _complete(keyed: list[tuple[Device, NewDevice]], store: Store, now_ms: int) -> int:
    with store.transaction():
        for known, given in keyed:
            title = known.system_title or given.system_title
            changes = {"keys": given.keys, "system_title": title, "flags": {**known.flags, **given.flags}}
            store.devices.update(known.id, changes, now_ms=now_ms)
        tasks = [NewTask(device=known.id, kind="collect", due_ms=now_ms) for known, _ in keyed]
        store.tasks.add_many(tasks, now_ms=now_ms)
    return len(keyed)


def _check_header(name: str, fields: Sequence[str]) -> None:
    unknown = [column for column in fields if column not in COLUMNS]
    missing = [column for column in _REQUIRED if column not in set(fields)]
    twice = [column for column, count in Counter(fields).items() if count > 1]
    if not fields:
        raise ConfigError(f"{name}: there is no header line")
    if unknown:
        raise ConfigError(f"{name} line 1: unknown column {unknown[0]!r}; known are {', '.join(COLUMNS)}")
    if missing:
        raise ConfigError(f"{name} line 1: column {missing[0]!r} is missing")
    if twice:
        raise ConfigError(f"{name} line 1: column {twice[0]!r} is there twice")


def _device(place: str, row: dict[str, str | None], vault: Vault) -> NewDevice:
    if None in row:
        raise ConfigError(f"{place}: more fields than the header has columns")
    cells = {column: (value or "").strip() for column, value in row.items()}
    serial = cells.get("serial", "")
    if not serial or not serial.isprintable() or len(serial) > 64:
        raise ConfigError(f"{place}, serial: 1 to 64 printable characters, not {serial!r}")
    transport = cells.get("transport") or "tcp"
    if transport not in ("tcp", "hdlc"):
        raise ConfigError(f"{place}, transport: tcp or hdlc, not {transport!r}")
    host = cells.get("host", "")
    if not host or not host.isprintable() or len(host) > 253:
        raise ConfigError(f"{place}, host: an address or a name is wanted, not {host[:60]!r}")
    profile = _profile(place, cells.get("profile") or "idis")
    flags: dict[str, str | int | float | None] = {
        column: _number(place, cells, column, 0)
        for column in ("physical", "address_size", "client", "mechanism")
        if cells.get(column)
    }
    if wake := cells.get("wake", ""):
        flags["wake"] = _wake(place, wake)
    if flags.get("mechanism") == 2:
        raise ConfigError(f"{place}, mechanism: 0, 1 or 3 to 6, not 2")
    keys = _keys(place, cells)
    if is_gateway(profile) and "secret" in keys:
        flags["party"] = party = cells.get("party") or "operator"
        master = keys.pop("secret")
        keys = keys_behind(master, party, serial, serial) | keys | {MASTER: master}
    return NewDevice(
        serial=serial,
        system_title=_hex(place, cells, "system_title", 8),
        utility=utility_of(profile),
        profile=profile,
        transport=transport,
        host=host,
        port=_number(place, cells, "port", 0),
        sap=_number(place, cells, "sap", 1),
        keys=vault.seal_all(serial, keys) if keys else None,
        flags=flags,
    )


def _profile(place: str, name: str) -> str:
    if not name.isprintable():
        raise ConfigError(f"{place}, profile: {name[:60]!r} is no name")
    try:
        load_profile(name)
    except ConfigError as error:
        raise ConfigError(f"{place}, profile: {error}") from None
    return name


def _keys(place: str, cells: dict[str, str]) -> dict[str, bytes]:
    found = {name: _hex(place, cells, name, 16) for name in ("guek", "gak", "gbek", "gbak")}
    keys = {name: key for name, key in found.items() if key is not None}
    secret = cells.get("secret", "")
    if secret:
        keys["secret"] = _secret(place, secret)
    return keys


def _secret(place: str, text: str) -> bytes:
    if not text.lower().startswith("0x"):
        return text.encode()
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise ConfigError(f"{place}, secret: not hex after 0x") from None


def _hex(place: str, cells: dict[str, str], column: str, size: int) -> bytes | None:
    text = cells.get(column, "")
    if not text:
        return None
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != size:
        raise ConfigError(f"{place}, {column}: {size} octets as hex are wanted ({len(text)} characters given)")
    return octets


def _wake(place: str, text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) <= 0xFFFF):
        raise ConfigError(f"{place}, wake: host:port is wanted, not {text[:60]!r}")
    return text


def _number(place: str, cells: dict[str, str], column: str, default: int) -> int:
    text = cells.get(column, "")
    if not text and column not in _REQUIRED:
        return default
    least = 1 if column == "port" else 0
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= _LIMITS[column]):
        raise ConfigError(f"{place}, {column}: a whole number from {least} to {_LIMITS[column]}, not {text!r}")
    return int(text)
