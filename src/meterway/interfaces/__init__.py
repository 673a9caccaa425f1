"""The interfaces of the reference figure: which pair of entities, over which stack, link and security."""

from meterway.interfaces.figure import INTERFACES, Entity, Interface, Network, Status, interface_of, label_of

__all__ = ["INTERFACES", "Entity", "Interface", "Network", "Status", "interface_of", "label_of"]
