"""The page of what was overheard: each telegram with what it says to somebody who has no key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from litestar import MediaType, Router, get

from meterway.headend.overheard import Frame, Overheard
from meterway.headend.web.given import AnyRequest, TheHeadEnd
from meterway.headend.web.rendering import page
from meterway.mapping.telegram import Refused, decode_telegram
from meterway.model.telegram import Json

__all__ = ["Telegram", "router", "telegrams"]

_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Telegram:
    """A frame as the page shows it."""

    time: str
    interface: str
    station: str
    mode: str
    size: int
    fate: str
    says: str
    hex: str


def telegrams(overheard: Overheard, many: int = _SHOWN) -> list[Telegram]:
    """The last frames, the newest first, as far as they can be read without keys."""
    return [_shown(frame) for frame in overheard.latest(many)]


def _shown(frame: Frame) -> Telegram:
    return Telegram(
        time=datetime.fromtimestamp(frame.time_s, UTC).strftime("%H:%M:%S.%f")[:-3],
        interface=frame.interface,
        station=frame.station,
        mode=frame.mode,
        size=len(frame.octets),
        fate=_fate(frame),
        says=_says(frame.octets),
        hex=frame.octets.hex(" "),
    )


def _fate(frame: Frame) -> str:
    lost = ", ".join(f"{count} × {cause}" for cause, count in sorted(frame.lost.items()))
    return f"heard by {frame.heard}" + (f"; lost: {lost}" if lost else "")


def _says(octets: bytes) -> str:
    """Readings if they are in the clear, else what kind of frame it is, or why it stays closed."""
    told = decode_telegram(octets)
    if isinstance(told, Refused):
        return told.message
    readings = [reading.as_json() for reading in told.readings]
    values = ", ".join(f"{row['name']} {row['value']} {row['unit']}".strip() for row in readings[:3])
    more = f" and {len(readings) - 3} more" if len(readings) > 3 else ""
    return values + more if values else ", ".join(_layer(layer) for layer in told.layers)


def _layer(layer: dict[str, Json]) -> str:
    """``radio SND-IR``: the layer and what it says it is for."""
    return f"{layer['layer']} {layer.get('control') or layer.get('kind') or ''}".strip()


@get("/air", media_type=MediaType.HTML, sync_to_thread=True)
def air(request: AnyRequest, head_end: TheHeadEnd) -> str:
    """What was overheard; with htmx only the rows."""
    rows = telegrams(head_end.overheard)
    total = head_end.overheard.total
    if request.headers.get("hx-request"):
        return page("_air.html", telegrams=rows, total=total)
    return page("air.html", request=request, telegrams=rows, total=total)


def router() -> Router:
    """The page; no part of the API's description."""
    return Router("/", route_handlers=[air], include_in_schema=False)
