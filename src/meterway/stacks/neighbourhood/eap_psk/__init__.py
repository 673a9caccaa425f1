"""EAP-PSK: mutual authentication by a shared key, with a protected channel in the same exchange (RFC 4764)."""

from meterway.stacks.neighbourhood.eap_psk.exchange import Peer, Server
from meterway.stacks.neighbourhood.eap_psk.keys import PskKeys, SessionKeys
from meterway.stacks.neighbourhood.eap_psk.message import Eap, EapCode, Protected, Result

__all__ = ["Eap", "EapCode", "Peer", "Protected", "PskKeys", "Result", "Server", "SessionKeys"]
