"""Commands of the REST API: to one meter, out of turn, and to the registry; each leaves its line in the audit log."""

from __future__ import annotations

import csv
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from litestar import post
from litestar.exceptions import HTTPException
from litestar.params import JSONBody, RawBody

from meterway.base.errors import ConfigError
from meterway.base.settings import Secretive
from meterway.headend.commands import Answered, Command
from meterway.headend.registry import import_csv
from meterway.headend.route import Way
from meterway.headend.serve import HeadEnd
from meterway.headend.web.given import AnyRequest, TheHeadEnd, TheViews, WhichMeter
from meterway.headend.web.problems import COMMAND
from meterway.mapping.obis import describe, find

__all__ = ["COMMANDS", "CollectFailedError", "Collected", "actor_of", "audited", "collect_now", "command_of"]

T = TypeVar("T")
_KEY_SIZE: Final = 16


class CollectFailedError(HTTPException):
    """A collection out of turn failed; ``cause`` is the word it is counted by."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail, status_code=507 if cause == "store" else 502, extra={"cause": cause})
        self.cause = cause


# -- what is asked and answered ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A collection out of turn: how many values it brought."""

    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """Meters that were added, and one sentence for each line of the file that was left out."""

    added: int
    errors: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """One object that a meter shows."""

    obis: str
    name: str
    class_id: int
    version: int


class ReadBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_time": "from", "to_time": "to"}):
    """What to read: an object by OBIS code or name; of a profile, a span of time."""

    object: str
    attribute: int | str = 2
    from_time: datetime | None = None
    to_time: datetime | None = None
    class_id: int | None = None
    way: Literal["direct", "mirror"] = "direct"
    """Ask the meter itself, end to end, or read its mirrored data at its concentrator."""


class SetBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to write; ``value`` in the plain form that a read gives."""

    object: str
    attribute: int | str = 2
    value: Any = None
    class_id: int | None = None


class ActBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which method to call; ``value`` is its parameter, the integer 0 if left out."""

    object: str
    method: int | str
    value: Any = None
    class_id: int | None = None


class CoupleBody(Secretive, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Which meter a gateway is to bind to which channel; without an address the only one that is proposed."""

    channel: int
    address: str = ""
    primary: Annotated[int, msgspec.Meta(ge=0, le=250)] = 0
    key: str = ""
    """What its telegrams are opened with: 32 hex digits, or nothing."""


class KeyBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new key for a meter behind a gateway, and the one it has if the registry does not know it; 32 hex digits."""

    new: str
    present: str = ""


class Reply(msgspec.Struct, kw_only=True, frozen=True, rename={"class_id": "class"}):
    """What a meter answered; ``ok`` is false where it refused, in the norm's word."""

    ok: bool
    obis: str
    name: str
    class_id: int
    attribute: str
    value: Any
    unit: str
    refusal: str | None
    quirks: list[str]
    age_s: int | None
    """How old a mirrored value is; null for one of the meter itself."""


def _reply(answered: Answered) -> Reply:
    return Reply(
        ok=not answered.refusal,
        obis=str(answered.obis),
        name=describe(answered.obis).name,
        class_id=answered.class_id,
        attribute=answered.attribute,
        value=answered.value,
        unit=answered.unit,
        refusal=answered.refusal or None,
        quirks=list(answered.quirks),
        age_s=answered.age_s,
    )


# -- what several handlers need ---------------------------------------------------------------------------------------


def actor_of(request: AnyRequest) -> str:
    """The name that goes to the audit log."""
    return str(request.state.visitor.name)


def command_of(
    text: str,
    *,
    attribute: int | str = 2,
    from_time: datetime | None = None,
    to_time: datetime | None = None,
    class_id: int | None = None,
) -> Command:
    """A read command from what a person wrote; ConfigError names what is not understood."""
    return Command(
        obis=find(text),
        attribute=attribute,
        from_s=_seconds(from_time),
        to_s=_seconds(to_time),
        class_id=class_id,
    )


def _seconds(moment: datetime | None) -> float | None:
    """Unix seconds; a moment without a zone is UTC."""
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        raise ConfigError(f"{moment} is out of range") from None


async def audited(
    head_end: TheHeadEnd, request: AnyRequest, action: str, step: Callable[[], Awaitable[T]], *, serial: str | None
) -> T:
    """Do a step, and put into the audit log who had it done and what came of it."""
    result = "failed"
    try:
        done = await step()
        result = "ok"
        return done
    except CollectFailedError as error:
        result = error.cause
        raise
    finally:
        actor, now_ms = actor_of(request), int(time.time() * 1000)

        def append() -> None:
            device = head_end.store.devices.by_serial(serial).id if serial is not None else None
            head_end.store.audit.append(actor, action, time_ms=now_ms, result=result, device=device)

        await head_end.collector.in_thread(append)


async def collect_now(head_end: HeadEnd, request: AnyRequest, serial: str) -> Collected:
    """Collect one meter out of turn; CollectFailedError says why nothing or not all came."""

    async def step() -> Collected:
        outcome = await head_end.collect_now(serial)
        if outcome["cause"] != "ok":
            raise CollectFailedError(str(outcome["cause"]), str(outcome["error"]))
        return Collected(values=int(outcome["values"]))

    return await audited(head_end, request, "collect", step, serial=serial)


# -- handlers ---------------------------------------------------------------------------------------------------------


@post("/meters/{serial:str}/read", status_code=200, tags=["commands"], responses=COMMAND)
async def read(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, data: JSONBody[ReadBody]
) -> Reply:
    """Read any attribute of a meter now."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    command = command_of(
        data.object,
        attribute=data.attribute,
        from_time=data.from_time,
        to_time=data.to_time,
        class_id=data.class_id,
    )
    return _reply(await head_end.read(serial, command, actor=actor_of(request), way=Way(data.way)))


@post("/meters/{serial:str}/set", status_code=200, tags=["commands"], responses=COMMAND)
async def write(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, data: JSONBody[SetBody]
) -> Reply:
    """Write any attribute of a meter now."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    command = Command(obis=find(data.object), attribute=data.attribute, value=data.value, class_id=data.class_id)
    return _reply(await head_end.set(serial, command, actor=actor_of(request)))


@post("/meters/{serial:str}/act", status_code=200, tags=["commands"], responses=COMMAND)
async def act(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, data: JSONBody[ActBody]
) -> Reply:
    """Call any method of a meter now."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    command = Command(obis=find(data.object), method=data.method, value=data.value, class_id=data.class_id)
    return _reply(await head_end.act(serial, command, actor=actor_of(request)))


@post("/meters/{serial:str}/collect", status_code=200, tags=["commands"], responses=COMMAND)
async def collect(request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> Collected:
    """Collect from a meter now, out of turn."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    return await collect_now(head_end, request, serial)


@post("/meters/{serial:str}/couple", status_code=200, tags=["commands"], responses=COMMAND)
async def couple(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, data: JSONBody[CoupleBody]
) -> Reply:
    """Have a gateway bind a meter."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    answered = await head_end.couple(
        serial,
        data.channel,
        address=data.address,
        primary=data.primary,
        key=_key("key", data.key),
        actor=actor_of(request),
    )
    return _reply(answered)


@post("/meters/{serial:str}/decouple", status_code=200, tags=["commands"], responses=COMMAND)
async def decouple(request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> Reply:
    """Have the gateway of a meter release it."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    return _reply(await head_end.decouple(serial, actor=actor_of(request)))


@post("/meters/{serial:str}/key", status_code=200, tags=["commands"], responses=COMMAND)
async def transfer_key(
    request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter, data: JSONBody[KeyBody]
) -> Reply:
    """Give a meter behind a gateway a new key."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    new, present = _key("new", data.new), _key("present", data.present)
    return _reply(await head_end.transfer_key(serial, new=new, present=present, actor=actor_of(request)))


@post("/meters/{serial:str}/association-keys", status_code=200, tags=["commands"], responses=COMMAND)
async def change_keys(request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> Reply:
    """Give a device fresh keys for its associations, wrapped under its key-encrypting key."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    return _reply(await head_end.change_keys(serial, actor=actor_of(request)))


def _key(name: str, text: str) -> bytes:
    """A key, or nothing; ConfigError, which does not repeat it, for anything else."""
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        raise ConfigError(f"{name}: 32 hex digits are wanted") from None
    if octets and len(octets) != _KEY_SIZE:
        raise ConfigError(f"{name}: 32 hex digits are wanted")
    return octets


@post("/meters/{serial:str}/objects", status_code=200, tags=["commands"], responses=COMMAND)
async def objects(request: AnyRequest, head_end: TheHeadEnd, views: TheViews, serial: WhichMeter) -> list[ObjectRow]:
    """Ask a meter for the list of its objects."""
    await head_end.collector.in_thread(lambda: views.device(serial))
    found = await audited(head_end, request, "objects", lambda: head_end.objects(serial), serial=serial)
    return [
        ObjectRow(obis=str(obis), name=describe(obis).name, class_id=class_id, version=version)
        for class_id, version, obis in found
    ]


@post("/meters/import", status_code=200, tags=["commands"], responses={**COMMAND})
async def import_meters(request: AnyRequest, head_end: TheHeadEnd, body: RawBody) -> ImportResult:
    """Add meters from a CSV file (the body, with a header line); lines that are wrong are left out and named."""

    async def step() -> ImportResult:
        result = await head_end.collector.in_thread(lambda: _import(head_end, body))
        head_end.collector.wake()
        return result

    return await audited(head_end, request, "import", step, serial=None)


def _import(head_end: HeadEnd, body: bytes) -> ImportResult:
    try:
        text = StringIO(body.decode("utf-8-sig"), newline="")
        done = import_csv(
            text, name="import", store=head_end.store, vault=head_end.vault, now_ms=int(time.time() * 1000)
        )
    except UnicodeDecodeError as error:
        raise ConfigError(f"import: not UTF-8 at octet {error.start}") from None
    except csv.Error as error:
        raise ConfigError(f"import: {error}") from None
    return ImportResult(added=done.added, errors=done.errors)


COMMANDS: Final[Sequence[Any]] = (
    read, write, act, collect, couple, decouple, transfer_key, change_keys, objects, import_meters,
)  # fmt: skip
