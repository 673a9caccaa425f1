"""The page of what was overheard: each telegram with what it says to somebody who has no key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from litestar import MediaType, Router, get

from meterway.headend.overheard import Frame, Overheard
from meterway.headend.web.given import AnyRequest, TheHeadEnd
from meterway.headend.web.rendering import page
from meterway.mapping.in_words import in_words

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
        says=in_words(frame.octets),
        hex=frame.octets.hex(" "),
    )


def _fate(frame: Frame) -> str:
    lost = ", ".join(f"{count} × {cause}" for cause, count in sorted(frame.lost.items()))
    return f"heard by {frame.heard}" + (f"; lost: {lost}" if lost else "")


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
