"""What a load controller shows: its COSEM objects, and the logical device that answers for them."""

from meterway.home.objects.logical import LogicalHome

__all__ = ["LogicalHome"]
