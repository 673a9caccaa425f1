"""What the meter shows: its COSEM objects, and the logical device that answers for them."""

from meterway.meter.objects.logical import (
    ADMIN_SECURED,
    MANAGEMENT,
    PUBLIC,
    READING,
    CounterStore,
    LogicalMeter,
    send_counter,
)
from meterway.meter.objects.push import push_body, push_notification
from meterway.meter.objects.watch import needs_watching, watch

__all__ = [
    "ADMIN_SECURED",
    "MANAGEMENT",
    "PUBLIC",
    "READING",
    "CounterStore",
    "LogicalMeter",
    "needs_watching",
    "push_body",
    "push_notification",
    "send_counter",
    "watch",
]
