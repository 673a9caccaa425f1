"""The wrapper: the eight-octet header that carries APDUs over TCP and UDP (IEC 62056-4-7)."""

from meterway.stacks.dlms.wrapper.frame import WrapperFrame, decode_datagram
from meterway.stacks.dlms.wrapper.stream import WrapperFraming

__all__ = ["WrapperFrame", "WrapperFraming", "decode_datagram"]
