"""Say the numbers that Gurux has for S-FSK power line, as JSON."""

import json

from gurux_dlms.enums.Command import Command
from gurux_dlms.plc.enums import PlcDataLinkData, PlcDestinationAddress, PlcMacSubframes, PlcSourceAddress

SUBFRAMES = ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN")
COMMANDS = (
    "DISCOVER_REQUEST",
    "DISCOVER_REPORT",
    "REGISTER_REQUEST",
    "PING_REQUEST",
    "PING_RESPONSE",
    "REPEAT_CALL_REQUEST",
)

print(
    json.dumps(
        {
            "subframes": [int(PlcMacSubframes[name]) for name in SUBFRAMES],
            "initiator": int(PlcSourceAddress.INITIATOR),
            "new": int(PlcSourceAddress.NEW),
            "all": int(PlcDestinationAddress.ALL_PHYSICAL),
            "control": int(PlcDataLinkData.REQUEST),
            "tags": [int(getattr(Command, name)) for name in COMMANDS],
        }
    )
)
