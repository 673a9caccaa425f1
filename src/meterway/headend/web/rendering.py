"""Templates and how numbers, times and octets are written in them."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request
from litestar.datastructures import State

__all__ = ["number", "page", "percent", "quantity", "readable", "size", "when"]

_THIN: Final = "\u202f"
_SIZES: Final = ("B", "kB", "MB", "GB", "TB")
_KILO: Final = frozenset({"Wh", "varh", "VAh"})


def number(value: float | int | Decimal | str) -> str:
    """A number with its thousands apart; text that is no number stays."""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return f"{exact:,f}".replace(",", _THIN) if exact.is_finite() else str(value)


def quantity(value: str, unit: str) -> str:
    """A scaled value with its unit as people say it: energy in kWh."""
    try:
        exact = Decimal(value)
    except InvalidOperation:
        return f"{value} {unit}".strip()
    if unit in _KILO:
        return f"{number(exact.scaleb(-3).quantize(Decimal('0.001')))} k{unit}"
    return f"{number(exact)} {unit}".strip()


def size(octets: int) -> str:
    """Octets in the unit that fits."""
    value, index = float(octets), 0
    while value >= 1000 and index < len(_SIZES) - 1:
        value, index = value / 1000, index + 1
    return f"{value:.1f} {_SIZES[index]}" if index else f"{octets} B"


def percent(share: float) -> str:
    """A share of 1 in per cent; 100 % only when nothing is missing."""
    if share >= 1:
        return "100 %"
    return f"{min(int(share * 1000) / 10, 99.9):.1f} %"


def when(text: str) -> str:
    """An ISO moment as people read it."""
    return text.replace("T", " ").removesuffix("Z") or "–"


def readable(value: object) -> str:
    """Plain JSON in readable lines."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@cache
def _asset(name: str) -> str:
    """The address of a static file, with its content's hash so that browsers may keep it."""
    octets = resources.files("meterway.headend.web").joinpath("static", *name.split("/")).read_bytes()
    return f"/static/{name}?v={sha256(octets).hexdigest()[:12]}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("meterway.headend.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number, "quantity": quantity, "size": size, "percent": percent, "when": when, "readable": readable,
    }  # fmt: skip
    environment.globals["asset"] = _asset
    return environment


_TEMPLATES: Final = _environment()


def page(name: str, *, request: Request[Any, Any, State] | None = None, **values: object) -> str:
    """A template filled in; with the request, a whole page knows who looks at it and what proves its forms."""
    if request is not None:
        visitor = getattr(request.state, "visitor", None)
        values |= {
            "visitor": visitor,
            "csrf": request.app.state.gate.proof(visitor),
            "path": request.url.path,
            "has_air": request.app.state.overheard.total > 0,
        }
    return _TEMPLATES.get_template(name).render(**values)
