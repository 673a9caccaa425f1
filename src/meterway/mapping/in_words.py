"""A telegram in one line, for lists: its values if they are in the clear, else what kind of frame it is."""

from __future__ import annotations

from typing import Final

from meterway.mapping.telegram import Refused, decode_telegram
from meterway.model.telegram import Json

__all__ = ["in_words"]

_SHOWN: Final = 3


def in_words(octets: bytes) -> str:
    """What somebody without keys can make of a telegram; why not, if nothing."""
    told = decode_telegram(octets)
    if isinstance(told, Refused):
        return told.message
    readings = [reading.as_json() for reading in told.readings]
    values = ", ".join(f"{row['name']} {row['value']} {row['unit']}".strip() for row in readings[:_SHOWN])
    more = f" and {len(readings) - _SHOWN} more" if len(readings) > _SHOWN else ""
    return values + more if values else ", ".join(_layer(layer) for layer in told.layers)


def _layer(layer: dict[str, Json]) -> str:
    """``radio SND-IR``: the layer and what it says it is for."""
    return f"{layer['layer']} {layer.get('frame') or layer.get('control') or layer.get('kind') or ''}".strip()
