"""A neighbourhood network, simulated: many nodes, a slow and lossy medium that they share, routes of several hops."""

from meterway.links.medium.neighbourhood.medium import NeighbourhoodMedium
from meterway.links.medium.neighbourhood.memory import SimulatedNeighbourhood
from meterway.links.medium.neighbourhood.place import NodePlace
from meterway.links.medium.neighbourhood.records import Arrival, Carried, NeighbourhoodStatistics, Route
from meterway.links.medium.neighbourhood.settings import PRESETS, NeighbourhoodSettings, Spot, preset

__all__ = [
    "PRESETS",
    "Arrival",
    "Carried",
    "NeighbourhoodMedium",
    "NeighbourhoodSettings",
    "NeighbourhoodStatistics",
    "NodePlace",
    "Route",
    "SimulatedNeighbourhood",
    "Spot",
    "preset",
]
