"""HDLC: the data link of serial lines, also carried over TCP (IEC 62056-46)."""

from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.connection import HdlcFraming
from meterway.stacks.dlms.hdlc.frame import FrameKind, HdlcFrame
from meterway.stacks.dlms.hdlc.parameters import HdlcParameters
from meterway.stacks.dlms.hdlc.stream import Deframer
from meterway.stacks.dlms.hdlc.telegram import HdlcRecording, decode_stream

__all__ = [
    "Deframer",
    "FrameKind",
    "HdlcAddress",
    "HdlcFrame",
    "HdlcFraming",
    "HdlcParameters",
    "HdlcRecording",
    "decode_stream",
]
