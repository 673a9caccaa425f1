"""What the concentrator shows northbound: itself, and each meter's mirrored data as a logical device of its own."""

from meterway.nnap.objects.logical import LogicalSite

__all__ = ["LogicalSite"]
