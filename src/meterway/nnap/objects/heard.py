"""The battery meters in the concentrator's own logical device: channels, M-Bus clients, installation, diagnostics.

They are the access point's objects, asked as the concentrator is asked.
"""

from __future__ import annotations

from meterway.interfaces.mbus.objects.channels import channel_things
from meterway.interfaces.mbus.objects.table import Ask as Inner
from meterway.interfaces.mbus.objects.table import Attr as InnerAttr
from meterway.interfaces.mbus.objects.table import Method as InnerMethod
from meterway.nnap.collector import Collector
from meterway.nnap.objects.table import Ask, Attr, Method, Thing

__all__ = ["heard_things"]


def heard_things(ask: Ask) -> list[Thing]:
    """Every object there is of what is heard; none without a receiver."""
    collector = ask.site.collector
    if collector is None:
        return []
    return [
        Thing(
            class_id=thing.class_id,
            obis=thing.obis,
            version=thing.version,
            attributes={place: _attribute(collector, one) for place, one in thing.attributes.items()},
            methods={place: _method(collector, one) for place, one in thing.methods.items()},
        )
        for thing in channel_things(_inner(collector, ask))
    ]


def _inner(collector: Collector, ask: Ask) -> Inner:
    return Inner(collector.site, 0, ask.now, collector.party(ask.party.name), ask.selection)


def _attribute(collector: Collector, inner: InnerAttr) -> Attr:
    write = inner.write
    return Attr(
        lambda ask: inner.read(_inner(collector, ask)),
        None if write is None else lambda ask, value: write(_inner(collector, ask), value),
        inner.right,
    )


def _method(collector: Collector, inner: InnerMethod) -> Method:
    return Method(lambda ask, value: inner.call(_inner(collector, ask), value), inner.right)
