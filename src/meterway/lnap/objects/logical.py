"""The gateway and each of its meters as logical devices."""

from __future__ import annotations

from collections.abc import Iterable

from meterway.interfaces.mbus.objects.logical import LogicalSite as Logical
from meterway.interfaces.mbus.objects.table import Ask, Thing
from meterway.lnap.objects.gateway import gateway_things

__all__ = ["LogicalSite"]


class LogicalSite(Logical):
    """Logical device ``channel`` (0 the gateway itself) of a site, as one side sees it."""

    __slots__ = ()

    def _own_things(self, ask: Ask) -> Iterable[Thing]:
        return gateway_things(ask)
