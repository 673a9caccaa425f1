"""What handlers are given: names for the types that the framework fills in."""

from __future__ import annotations

from typing import Any, TypeAlias

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterway.headend.api import Views
from meterway.headend.serve import HeadEnd
from meterway.headend.web.gate import Gate

__all__ = ["AnyRequest", "TheGate", "TheHeadEnd", "TheViews", "WhichMeter"]

AnyRequest: TypeAlias = Request[Any, Any, State]
TheGate: TypeAlias = NamedDependency[Gate]
TheHeadEnd: TypeAlias = NamedDependency[HeadEnd]
TheViews: TypeAlias = NamedDependency[Views]
WhichMeter: TypeAlias = FromPath[str]
"""The serial in the address."""
