"""LBP, the LoWPAN bootstrapping protocol of G3 (ITU-T G.9903): how a device joins by EAP-PSK and gets address and key.

Octets and codes are as far as known: from published implementations (Microchip's and Phoenix Systems' G3 stacks), not
from the norm's text.
"""

from meterway.stacks.neighbourhood.lbp.joining import Grant, Joining, Refused
from meterway.stacks.neighbourhood.lbp.message import Lbp, LbpKind
from meterway.stacks.neighbourhood.lbp.server import Bootstrap, Welcome

__all__ = ["Bootstrap", "Grant", "Joining", "Lbp", "LbpKind", "Refused", "Welcome"]
