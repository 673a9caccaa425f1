"""A neighbourhood network, simulated: many nodes, a slow and lossy medium that they share, routes of several hops."""

from meterway.links.medium.neighbourhood.medium import NeighbourhoodMedium
from meterway.links.medium.neighbourhood.memory import SimulatedNeighbourhood, SimulatedNode
from meterway.links.medium.neighbourhood.records import Arrival, Carried, NeighbourhoodStatistics, Route
from meterway.links.medium.neighbourhood.settings import PRESETS, NeighbourhoodSettings, Spot, preset

__all__ = [
    "PRESETS",
    "Arrival",
    "Carried",
    "NeighbourhoodMedium",
    "NeighbourhoodSettings",
    "NeighbourhoodStatistics",
    "Route",
    "SimulatedNeighbourhood",
    "SimulatedNode",
    "Spot",
    "preset",
]
