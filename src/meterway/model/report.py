"""A bulk report: what a concentrator delivers of many meters at once, in JSON or XML of one schema.

Times are whole Unix seconds (UTC). A number is raw: ``value * 10 ** scaler`` of ``unit`` (the codes of IEC 62056-6-2).
``report_schema`` and ``report_xsd`` say the same; a receiver that knows a report's id takes it once.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.resources import files
from typing import Annotated, Any, Final, Literal, cast

import msgspec

from meterway.base.errors import DecodeError
from meterway.model.report_xml import NAMESPACE, read_report

__all__ = [
    "JSON_TYPE",
    "NAMESPACE",
    "XML_TYPE",
    "Alarm",
    "Balance",
    "Column",
    "Missing",
    "Node",
    "Receipt",
    "Report",
    "ReportEvent",
    "Series",
    "decode_receipt",
    "decode_report",
    "encode_receipt",
    "encode_report",
    "report_schema",
    "report_xsd",
]

JSON_TYPE: Final = "application/vnd.meterway.report+json"
XML_TYPE: Final = "application/vnd.meterway.report+xml"

Raw = int | float | str | None
"""One raw value; octets are hex digits, None is a value the meter did not have."""

# of system titles, zeros stand for one that the concentrator does not know
_Hex8 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
_LogicalName = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2}){0,16}$")]
_Unix = Annotated[int, msgspec.Meta(ge=0, le=253402300799)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Obis = Annotated[str, msgspec.Meta(pattern=r"^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}\*\d{1,3}$")]
_Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=4294967295)]
_Energy = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
# what XML 1.0 cannot hold
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    """What all parts of a report have in common."""


class Column(_Part, rename={"class_id": "class"}, frozen=True):
    """A captured attribute: interface class, logical name, attribute; its scaler and unit (255: none)."""

    class_id: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    obis: _Obis
    attribute: Annotated[int, msgspec.Meta(ge=1, le=127)]
    scaler: Annotated[int, msgspec.Meta(ge=-128, le=127)] = 0
    unit: _Byte = 255


class Series(_Part, frozen=True):
    """Rows of one profile of one meter, by columns: ``values[c][r]`` is column ``c`` at ``times[r]``.

    ``period_s`` is 0 for what is not periodic. ``status`` has one octet a row, or is empty for a profile without.
    Rows are the whole of what the concentrator has of the meter between the first and the last time.
    """

    serial: _Name
    system_title: _Hex8
    profile: _Obis
    period_s: _Count
    columns: list[Column]
    times: list[_Unix]
    status: list[_Byte]
    values: list[list[Raw]]

    def __post_init__(self) -> None:
        rows = len(self.times)
        if len(self.values) != len(self.columns) or any(len(column) != rows for column in self.values):
            raise ValueError(f"{self.serial} {self.profile}: as many values as columns and times are wanted")
        if self.status and len(self.status) != rows:
            raise ValueError(f"{self.serial} {self.profile}: one status for each time, or none at all")


class ReportEvent(_Part, frozen=True):
    """An event of a meter, or of the concentrator itself (``serial`` is its own then)."""

    serial: _Name
    system_title: _Hex8
    time: _Unix
    log: _Obis
    """The log it stands in; the events of one log with their code are what the device calls them."""
    code: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    text: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Node(_Part, frozen=True):
    """A node of the neighbourhood as it stands at the report's time; ``heard``: a battery meter heard by radio.

    The ``address`` of the latter is its channel, ``eui`` its address on the air.
    """

    serial: _Name
    system_title: _Hex8
    eui: _Hex8
    address: _Count
    state: Literal["member", "away", "proposed", "cascade", "heard"]
    parent: str = ""
    """The EUI (hex) of the node it is reached through, empty where the profile does not say."""
    hops: _Byte = 0
    """Links between the concentrator and it, 0 where they are not known."""
    quality: _Byte = 0
    """In 100: how likely one transmission over the link to its parent and back is to arrive, as the medium's routes
    say; where they are not known, how many requests of late were answered."""
    heard: _Unix = 0
    joined: _Unix = 0
    role: Literal["meter", "supervision", "gateway", "nnap", "home"] = "meter"
    """As what it is listed at the concentrator."""
    name: _LogicalName = ""
    """The logical device name (hex) that it told, empty where it was not asked or did not tell."""


class Missing(_Part, frozen=True):
    """A meter that lacks intervals of a day."""

    serial: _Name
    intervals: Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Balance(_Part, frozen=True):
    """The balance of the transformer on one day (UTC, ``day`` is its begin) over the intervals known of everybody.

    ``given`` went into the network through the transformer and by those that feed in, ``taken`` left it, both in Wh;
    the difference was lost. ``low`` and ``high`` are the band of the loss in thousandths of what was given. A day that
    was judged anew is in a report again, with the next ``revision``.
    """

    day: _Unix
    revision: _Count
    judged: _Unix
    period_s: Annotated[int, msgspec.Meta(ge=0, le=86400)]
    intervals: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    complete: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    given: _Energy
    taken: _Energy
    low: Annotated[int, msgspec.Meta(ge=-32768, le=32767)]
    high: Annotated[int, msgspec.Meta(ge=-32768, le=32767)]
    verdict: Literal["open", "within", "beyond"]
    """``open``: too few intervals are complete to say."""
    lacking: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """How many meters lack intervals; ``missing`` names those that lack most."""
    missing: list[Missing] = []


class Alarm(_Part, frozen=True):
    """An alarm of the concentrator, as it was raised, and again when it ended (``cleared``, 0 while it stands).

    Kind, subject and time of raising name it. ``subject`` is a node's serial, the EUI (hex) of one that has none, or
    empty for the whole network; ``count`` says how many nodes are concerned.
    """

    kind: Literal["lost", "flapping", "branch", "stranger", "medium", "completeness", "balance"]
    subject: Annotated[str, msgspec.Meta(max_length=64)]
    raised: _Unix
    cleared: _Unix = 0
    count: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 1
    text: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Report(_Part, rename={"from_": "from"}, frozen=True):
    """One report. ``id`` is the concentrator's and never used again; ``[from, to)`` is when its rows were collected."""

    id: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{8,80}$")]
    nnap: _Name
    system_title: _Hex8
    created: _Unix
    from_: _Unix
    to: _Unix
    meters: list[Series] = []
    events: list[ReportEvent] = []
    topology: list[Node] = []
    balances: list[Balance] = []
    alarms: list[Alarm] = []


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a report: it is ``stored`` now, or a ``duplicate`` of one that was; then its sender may forget it.

    ``refused`` is said where there is no other word for it (over a message broker): the sender keeps it, and sends it
    no more for a while. ``reason`` names field and place.
    """

    id: str
    result: Literal["stored", "duplicate", "refused"]
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


def encode_report(report: Report, *, xml: bool = False) -> bytes:
    """The report in JSON, or in XML."""
    if not xml:
        return msgspec.json.encode(report)
    root = ET.Element("report", xmlns=NAMESPACE)
    for name in ("id", "nnap", "system_title", "created", "from_", "to"):
        root.set(name.rstrip("_"), _text(getattr(report, name)))
    for series in report.meters:
        _add_series(root, series)
    for kind, parts in (
        ("event", report.events), ("node", report.topology), ("balance", report.balances), ("alarm", report.alarms),
    ):  # fmt: skip
        for part in parts:
            _add_part(root, kind, msgspec.to_builtins(part))
    return cast(bytes, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def decode_report(octets: bytes, *, xml: bool = False) -> Report:
    """A report from its octets; DecodeError for anything that is not exactly one."""
    try:
        return _from_xml(octets) if xml else _FROM_JSON(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(f"no report: {error}", 0, "report") from None


def encode_receipt(receipt: Receipt) -> bytes:
    """A receipt in JSON."""
    return msgspec.json.encode(receipt)


def decode_receipt(octets: bytes) -> Receipt:
    """A receipt; DecodeError for anything else."""
    try:
        return msgspec.json.decode(octets, type=Receipt)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(f"no receipt: {error}", 0, "report") from None


def report_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Report)}


def report_xsd() -> str:
    """The XML Schema of a report."""
    return files("meterway.model").joinpath("report.xsd").read_text(encoding="utf-8")


_FROM_JSON: Final[Callable[[bytes], Report]] = msgspec.json.Decoder(Report).decode

# -- XML --------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    """A value as an attribute; what XML cannot hold at all becomes a replacement character."""
    return _UNFIT.sub("\ufffd", str(value))


def _add_series(root: ET.Element, series: Series) -> None:
    """Times, status and integers as lists of tokens: a day of a meter stays a few lines."""
    element = ET.SubElement(
        root,
        "meter",
        serial=_text(series.serial),
        system_title=series.system_title,
        profile=series.profile,
        period_s=str(series.period_s),
    )
    ET.SubElement(element, "times").text = " ".join(map(str, series.times))
    ET.SubElement(element, "status").text = " ".join(map(str, series.status))
    for column, values in zip(series.columns, series.values, strict=True):
        described = {key: str(value) for key, value in msgspec.to_builtins(column).items()}
        part = ET.SubElement(element, "column", described)
        if all(type(value) is int for value in values):
            part.text = " ".join(map(str, values))
        else:
            for value in values:
                _add_value(part, value)


def _add_part(root: ET.Element, kind: str, plain: dict[str, Any]) -> None:
    """What is no list as an attribute, what is one as elements of its name."""
    lists = {key: value for key, value in plain.items() if isinstance(value, list)}
    single = {key: _text(value) for key, value in plain.items() if key not in lists}
    element = ET.SubElement(root, kind, single)
    for key, values in lists.items():
        for value in values:
            ET.SubElement(element, key, {name: _text(one) for name, one in value.items()})


def _add_value(part: ET.Element, value: Raw) -> None:
    kind = {int: "int", float: "float", str: "text"}.get(type(value), "null")
    element = ET.SubElement(part, kind)
    if value is not None:
        element.text = _text(value)


_PLACES: Final[dict[str, tuple[str, type[_Part]]]] = {
    "meter": ("meters", Series),
    "event": ("events", ReportEvent),
    "node": ("topology", Node),
    "balance": ("balances", Balance),
    "alarm": ("alarms", Alarm),
}


def _from_xml(octets: bytes) -> Report:
    """Each part is checked and made small as it ends."""
    parts: dict[str, list[Any]] = {place: [] for place, _ in _PLACES.values()}

    def take(kind: str, plain: dict[str, Any]) -> None:
        if kind not in _PLACES:
            raise DecodeError(f"no report: the element {kind!r} has no place in it", 0, "report")
        place, made = _PLACES[kind]
        try:
            parts[place].append(msgspec.convert(plain, made, strict=True))
        except msgspec.ValidationError as error:
            raise DecodeError(f"no report: {place}[{len(parts[place])}]: {error}", 0, "report") from None

    attributes = read_report(octets, take)
    return msgspec.structs.replace(msgspec.convert(attributes, Report, strict=True), **parts)
