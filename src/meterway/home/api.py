"""What upper floors may ask of home automation end devices."""

from __future__ import annotations

from meterway.home.energy import EnergyManager, ManagerConfig, Measured

__all__ = ["EnergyManager", "ManagerConfig", "Measured"]
