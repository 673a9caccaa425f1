"""Every exception Meterway raises of its own, one tree.

MeterwayError
├── ProtocolError             the rules of a norm were broken
│   ├── LocalProtocolError    ... by this side: a caller asked for what the norm forbids
│   └── RemoteProtocolError   ... by the other side
│       └── DecodeError       octets that do not form the type, with the offset
├── SecurityError             a key, tag, counter or policy said no
├── LinkError                 the line failed: refused, lost, timed out
├── ConfigError               a file or an argument is wrong
└── StoreError                the database is missing, damaged, full or too new

A refusal that a norm defines (``read-write-denied``) is a value, not an exception.
"""

__all__ = [
    "ConfigError",
    "DecodeError",
    "LinkError",
    "LocalProtocolError",
    "MeterwayError",
    "ProtocolError",
    "RemoteProtocolError",
    "SecurityError",
    "StoreError",
]


class MeterwayError(Exception):
    """The root of all errors of this package."""


class ProtocolError(MeterwayError):
    """A rule of a norm was broken."""


class LocalProtocolError(ProtocolError):
    """This side was asked to do what the norm or the negotiated conformance forbids."""


class RemoteProtocolError(ProtocolError):
    """The other side broke a rule of the norm."""


class DecodeError(RemoteProtocolError):
    """Octets do not form the type that must stand there.

    ``offset`` counts octets from the start of the buffer that was being decoded. ``kind`` is a
    short stable word for machines (``truncated``, ``fcs``, ``tag``, ...).
    """

    def __init__(self, message: str, offset: int = 0, kind: str = "malformed") -> None:
        super().__init__(f"{message} (offset {offset})")
        self.message = message
        self.offset = offset
        self.kind = kind


class SecurityError(MeterwayError):
    """A key, an authentication tag, an invocation counter or a policy said no.

    ``check`` names what failed (``tag``, ``key``, ``counter``, ``policy``, ``2F2F``, ``cmac``, ...).
    """

    def __init__(self, message: str, check: str = "policy") -> None:
        super().__init__(message)
        self.message = message
        self.check = check


class LinkError(MeterwayError):
    """The line failed: refused, lost or timed out."""


class ConfigError(MeterwayError):
    """A file or an argument is wrong; the message names file, line and field."""


class StoreError(MeterwayError):
    """The database is missing, damaged, full or written by a newer version."""
