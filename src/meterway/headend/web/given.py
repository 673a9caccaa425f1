"""What handlers are given: names for the types that the framework fills in."""

from __future__ import annotations

from typing import TypeAlias

from litestar.di import NamedDependency
from litestar.params import FromPath

from meterway.headend.api import Views
from meterway.headend.serve import HeadEnd
from meterway.headend.web.gate import AnyRequest, Gate

__all__ = ["AnyRequest", "TheGate", "TheHeadEnd", "TheViews", "WhichMeter"]

TheGate: TypeAlias = NamedDependency[Gate]
TheHeadEnd: TypeAlias = NamedDependency[HeadEnd]
TheViews: TypeAlias = NamedDependency[Views]
WhichMeter: TypeAlias = FromPath[str]
"""The serial in the address."""
