"""Companion profiles from their files: TOML for the objects, CSV for the event codes."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Final, get_args

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.mapping.companion import (
    Association,
    Authentication,
    Collect,
    CompanionProfile,
    EventCode,
    ProfileObject,
    Role,
    Severity,
)
from meterway.mapping.obis import describe, find
from meterway.mapping.section import Section
from meterway.stacks.dlms.classes import CaptureObject, InterfaceClass, interface_class

__all__ = ["load_profile", "profile_called", "profile_names"]

_DEEPEST: Final = 4
_FILE_KEYS: Final = frozenset(
    {"title", "extends", "events", "remove", "remove_associations", "associations", "objects", "names", "role"}
)
_ASSOCIATION_KEYS: Final = frozenset(
    {"name", "client", "server", "authentication", "rights", "pre_established", "objects"}
)
_OBJECT_KEYS: Final = frozenset({"codes", "class", "version", "static", "set", "act", "collect", "log"})


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the package."""
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in _bundled().iterdir() if entry.name.endswith(".toml"))
    )


def load_profile(name_or_path: str) -> CompanionProfile:
    """A profile by its name (``idis``) or from a file of a user (a path that ends in ``.toml``).

    Raises ConfigError naming file and field. A file is read again only when it has changed.
    """
    if not name_or_path.endswith(".toml"):
        return _load(name_or_path, 0)
    try:
        changed = Path(name_or_path).stat().st_mtime_ns
    except OSError as error:
        raise ConfigError(f"{name_or_path}: {error.strerror}") from None
    return _load(name_or_path, changed)


@lru_cache(maxsize=4096)
def profile_called(name: bytes) -> CompanionProfile | None:
    """The profile that comes with the package whose devices call themselves so; None if none or more than one has it.

    A logical device name is up to 16 octets: the maker's three letters, then what the maker chooses
    (IEC 62056-6-2). So which kind of device a name belongs to is what the makers' profiles say.
    """
    text = name.decode("latin-1")
    found = [
        known
        for known in map(load_profile, profile_names())
        if any(fnmatchcase(text, pattern) for pattern in known.names)
    ]
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=32)
def _load(name_or_path: str, _changed: int) -> CompanionProfile:
    draft = _Draft()
    _read(draft, name_or_path, None, _DEEPEST)
    return draft.finish(Path(name_or_path).stem if name_or_path.endswith(".toml") else name_or_path)


def _bundled() -> Traversable:
    return resources.files(__package__).joinpath("profiles")


class _Section(Section):
    """A table of a profile: it names objects by their codes or names."""

    __slots__ = ()

    def codes(self, key: str) -> list[Obis]:
        return [self.code(key, word) for word in self.texts(key)]

    def code(self, key: str, word: str) -> Obis:
        try:
            return find(word)
        except ConfigError as error:
            raise self.error(key, str(error)) from None


@dataclass(slots=True)
class _Draft:
    """A profile while its files are read; objects still as they are written."""

    title: str = ""
    names: tuple[str, ...] = ()
    role: Role = "meter"
    associations: dict[str, Association] = field(default_factory=dict)
    objects: dict[Obis, _Section] = field(default_factory=dict)
    events: dict[tuple[str, int], EventCode] = field(default_factory=dict)

    def finish(self, name: str) -> CompanionProfile:
        objects = {obis: _object(obis, section, self.objects) for obis, section in self.objects.items()}
        return CompanionProfile(
            name=name,
            title=self.title,
            associations=tuple(self.associations.values()),
            objects=MappingProxyType(objects),
            events=MappingProxyType(self.events),
            names=self.names,
            role=self.role,
        )


def _read(draft: _Draft, name_or_path: str, beside: Path | None, depth: int) -> None:
    """Lay one file over what the files it extends have said."""
    text, place, folder = _open(name_or_path, beside)
    try:
        top = _Section(place, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{place}: {error}") from None
    top.known(_FILE_KEYS)
    parent = top.get("extends", str, "")
    if parent:
        if depth == 0:
            raise top.error("extends", f"more than {_DEEPEST} files extend one another")
        _read(draft, parent, folder, depth - 1)
    draft.title = top.get("title", str, draft.title)
    for obis in top.codes("remove"):
        draft.objects.pop(obis, None)
    draft.names = tuple(top.texts("names"))  # not those of what it extends: a name is of one profile
    roles: list[Role] = list(get_args(Role))
    draft.role = roles[roles.index(top.one_of("role", roles, draft.role))]  # one of them
    for word in top.texts("remove_associations"):
        draft.associations.pop(word, None)
    for section in top.tables("associations"):
        association = _association(section)
        draft.associations[association.name] = association
    for section in top.tables("objects"):
        section.known(_OBJECT_KEYS)
        section.get("codes", list)
        draft.objects.update(dict.fromkeys(section.codes("codes"), section))
    if top.get("events", str, ""):
        draft.events.update(_events(top, folder))


def _open(name_or_path: str, beside: Path | None) -> tuple[str, str, Path | None]:
    """The text of a file, how complaints name it, and its folder (None: the package)."""
    if name_or_path.endswith((".toml", ".csv")) and beside is not None:
        path = beside / name_or_path
    elif name_or_path.endswith(".toml"):
        path = Path(name_or_path)
    else:
        return _open_bundled(name_or_path)
    try:
        return path.read_text("utf-8"), str(path), path.parent
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None


def _open_bundled(name: str) -> tuple[str, str, None]:
    if not name.endswith(".csv") and name not in profile_names():
        raise ConfigError(f"there is no profile {name!r}; there are {', '.join(profile_names())}, or give a .toml file")
    file = name if name.endswith(".csv") else f"{name}.toml"
    return _bundled().joinpath(file).read_text("utf-8"), file, None


def _association(section: _Section) -> Association:
    section.known(_ASSOCIATION_KEYS)
    authentication: tuple[Authentication, ...] = get_args(Authentication)
    return Association(
        name=section.get("name", str),
        client=section.number("client"),
        server=section.number("server", 1),
        authentication=section.one_of("authentication", authentication, "none"),
        configure=section.one_of("rights", ("read", "configure"), "read") == "configure",
        pre_established=section.get("pre_established", bool, default=False),
        objects=frozenset(section.codes("objects")) if "objects" in section.values else None,
    )


def _object(obis: Obis, section: _Section, others: Mapping[Obis, _Section]) -> ProfileObject:
    table = _table(section)
    collect: tuple[Collect, ...] = get_args(Collect)
    return ProfileObject(
        obis=obis,
        name=describe(obis).name,
        class_id=table.class_id,
        version=table.version,
        static=MappingProxyType(_static(section, table, others)),
        settable=frozenset(_numbers(section, "set", lambda word: table.attribute(word).index)),
        callable=frozenset(_numbers(section, "act", lambda word: table.method(word).index)),
        collect=section.one_of("collect", collect, ""),
        log=section.get("log", str, ""),
    )


def _table(section: _Section) -> InterfaceClass:
    try:
        return interface_class(section.number("class"), section.number("version", 0, high=255))
    except ConfigError as error:
        if str(error).startswith(section.where):
            raise
        raise section.error("class", str(error)) from None


def _numbers(section: _Section, key: str, number_of: Callable[[str], int]) -> list[int]:
    numbers = []
    for word in section.texts(key):
        try:
            numbers.append(number_of(word))
        except ConfigError as error:
            raise section.error(key, str(error)) from None
    return numbers


def _static(section: _Section, table: InterfaceClass, others: Mapping[Obis, _Section]) -> dict[int, object]:
    values: dict[int, object] = {}
    for key, plain in section.get("static", dict, {}).items():
        try:
            attribute = table.attribute(key)
            if key == "capture_objects" and isinstance(plain, list):
                plain = [_capture(section, word, others) for word in plain]
            elif key == "sort_object" and isinstance(plain, str):
                plain = _capture(section, plain, others)
            values[attribute.index] = attribute.type.typed(attribute.type.untyped(plain), [])
        except (ConfigError, LocalProtocolError) as error:
            raise section.error(f"static.{key}", str(error)) from None
    return values


def _capture(section: _Section, word: object, others: Mapping[Obis, _Section]) -> CaptureObject:
    """A column: ``name`` or ``name#attribute`` of an object that the profile has."""
    if not isinstance(word, str):
        raise ConfigError(f"{word!r} is not the name of an object")
    name, _, attribute = word.partition("#")
    obis = find(name)
    if obis not in others:
        raise ConfigError(f"the profile has no object {name} to capture")
    table = _table(others[obis])
    index = table.attribute(int(attribute) if attribute.isdigit() else attribute or 2).index
    return CaptureObject(class_id=table.class_id, obis=obis, attribute=index)


def _events(top: _Section, folder: Path | None) -> dict[tuple[str, int], EventCode]:
    name = top.get("events", str)
    if not name.endswith(".csv"):
        raise top.error("events", f"{name!r} is not a .csv file")
    text, place, _ = _open(name, folder)
    levels: list[Severity] = list(get_args(Severity))
    events: dict[tuple[str, int], EventCode] = {}
    rows = csv.DictReader(text.splitlines())
    for row in rows:
        where = f"{place}, line {rows.line_num}"
        if any(not row.get(key) for key in ("log", "code", "name", "title", "severity")):
            raise ConfigError(f"{where}: log, code, name, title and severity are needed")
        if not row["code"].isdigit() or row["severity"] not in levels:
            raise ConfigError(f"{where}: code must be a number, severity one of {', '.join(levels)}")
        level = levels[levels.index(row["severity"])]
        code = int(row["code"])
        events[row["log"], code] = EventCode(
            log=row["log"], code=code, name=row["name"], title=row["title"], severity=level
        )
    return events
