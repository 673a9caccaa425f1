"""Meterway: an open smart metering system, from the meter to the head end."""

__version__ = "0.1.0"
