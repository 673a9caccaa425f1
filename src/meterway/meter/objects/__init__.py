"""What the meter shows: its COSEM objects, and the logical device that answers for them."""

from meterway.meter.objects.clock import restore_zone
from meterway.meter.objects.logical import CounterStore, LogicalMeter, send_counter
from meterway.meter.objects.model import Model, model_of
from meterway.meter.objects.push import push_body, push_notification
from meterway.meter.objects.watch import needs_watching, watch

__all__ = [
    "CounterStore",
    "LogicalMeter",
    "Model",
    "model_of",
    "needs_watching",
    "push_body",
    "push_notification",
    "restore_zone",
    "send_counter",
    "watch",
]
