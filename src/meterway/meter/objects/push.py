"""What a push says: the attributes its setup lists, as one structure."""

from __future__ import annotations

from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.objects.model import model_of
from meterway.meter.objects.table import Ask, moment, typed_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.xdlms.notification import DataNotification

__all__ = ["push_body", "push_notification"]

_NULL = b"\x00"
_NOBODY = 0


def push_body(meter: Meter, setup: Obis, now: float) -> bytes:
    """The values of a push setup's object list; null-data for what cannot be read."""
    thing = model_of(meter.config.country).objects.get((40, setup))
    listed = None if thing is None else typed_of(thing, 2, meter, now)
    values = [_value(meter, entry, now) for entry in (listed if isinstance(listed, tuple) else ())]
    return b"\x02" + axdr.encode_length(len(values)) + b"".join(values)


def _value(meter: Meter, entry: object, now: float) -> bytes:
    if not isinstance(entry, CaptureObject):
        return _NULL
    thing = model_of(meter.config.country).objects.get((entry.class_id, entry.obis))
    attribute = None if thing is None else thing.attributes.get(entry.attribute)
    if thing is None or attribute is None:
        return _NULL
    changed = (meter.changed or {}).get(thing.key(entry.attribute))
    answer = changed if changed is not None else attribute.read(Ask(meter, now, _NOBODY))
    return answer if isinstance(answer, bytes) else _NULL


def push_notification(meter: Meter, setup: Obis, invoke: int, now: float) -> bytes:
    """The whole DataNotification APDU, in clear."""
    stamp = moment(meter, meter.clock(now))
    return DataNotification(invoke=invoke, date_time=stamp, body=push_body(meter, setup, now)).encode()
