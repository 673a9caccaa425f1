"""The DLMS gateway prefix: APDUs end to end with a device behind a gateway (IEC 62056-5-3, as far as known)."""

from meterway.stacks.dlms.gateway.framing import GatewayFraming
from meterway.stacks.dlms.gateway.prefix import REQUEST, RESPONSE, GatewayAddress
from meterway.stacks.dlms.gateway.splitter import GatewayRequest, GatewaySplitter

__all__ = ["REQUEST", "RESPONSE", "GatewayAddress", "GatewayFraming", "GatewayRequest", "GatewaySplitter"]
