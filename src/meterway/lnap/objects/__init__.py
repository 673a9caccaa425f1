"""What the gateway shows northbound: itself, and each meter as a logical device of its own."""

from meterway.lnap.objects.logical import LogicalSite
from meterway.lnap.objects.push import push_notification

__all__ = ["LogicalSite", "push_notification"]
