"""The interfaces of the reference figure: which pair, over which stack, link and security; and what pairs share."""

from meterway.interfaces.figure import INTERFACES, Entity, Interface, Network, Status, interface_of, label_of

__all__ = ["INTERFACES", "Entity", "Interface", "Network", "Status", "interface_of", "label_of"]
