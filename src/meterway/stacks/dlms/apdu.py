"""From octets to an APDU: one table of tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.acse.apdu import Aare, Aarq, Rlre, Rlrq
from meterway.stacks.dlms.xdlms import access, action, get, notification, set  # noqa: A004  the norm's name
from meterway.stacks.dlms.xdlms.block_transfer import GeneralBlockTransfer
from meterway.stacks.dlms.xdlms.ciphered import (
    DEDICATED_TAGS,
    GLOBAL_TAGS,
    CipheredApdu,
    GatewayApdu,
    GeneralCiphered,
    GeneralCiphering,
)
from meterway.stacks.dlms.xdlms.error import ConfirmedServiceError, ExceptionResponse
from meterway.stacks.dlms.xdlms.initiate import InitiateRequest, InitiateResponse

__all__ = ["Apdu", "apdu_name", "decode_apdu"]


class Apdu(Protocol):
    """Anything that can stand as a whole APDU."""

    def encode(self) -> bytes:
        """The whole APDU with its tag."""


_Decoder = Callable[[Reader], Apdu]

_ONE: Final[dict[int, _Decoder]] = {
    0x01: InitiateRequest.decode,
    0x08: InitiateResponse.decode,
    0x0E: ConfirmedServiceError.decode,
    0x0F: notification.DataNotification.decode,
    0x10: notification.DataNotificationConfirm.decode,
    0x60: Aarq.decode,
    0x61: Aare.decode,
    0x62: Rlrq.decode,
    0x63: Rlre.decode,
    0xC2: notification.EventNotification.decode,
    0xD8: ExceptionResponse.decode,
    0xD9: access.AccessRequest.decode,
    0xDA: access.AccessResponse.decode,
    0xDD: GeneralCiphering.decode,
    0xE0: GeneralBlockTransfer.decode,
}
_TWO: Final[dict[int, _Decoder]] = {
    kind.TAG[0] << 8 | kind.TAG[1]: kind.decode
    for kind in (
        get.GetRequestNormal,
        get.GetRequestNext,
        get.GetRequestWithList,
        get.GetResponseNormal,
        get.GetResponseWithDatablock,
        get.GetResponseWithList,
        set.SetRequestNormal,
        set.SetRequestWithFirstDatablock,
        set.SetRequestWithDatablock,
        set.SetRequestWithList,
        set.SetRequestWithListAndFirstDatablock,
        set.SetResponseNormal,
        set.SetResponseDatablock,
        set.SetResponseLastDatablock,
        set.SetResponseLastDatablockWithList,
        set.SetResponseWithList,
        action.ActionRequestNormal,
        action.ActionRequestNextPblock,
        action.ActionRequestWithList,
        action.ActionRequestWithFirstPblock,
        action.ActionRequestWithListAndFirstPblock,
        action.ActionRequestWithPblock,
        action.ActionResponseNormal,
        action.ActionResponseWithPblock,
        action.ActionResponseWithList,
        action.ActionResponseNextPblock,
    )
}
_CIPHERED: Final = frozenset(GLOBAL_TAGS.values()) | frozenset(DEDICATED_TAGS.values())
_SERVICES: Final = frozenset(tag >> 8 for tag in _TWO)


def decode_apdu(octets: bytes, *, base: int = 0) -> Apdu:
    """Decode one whole APDU, plain or in its envelope; DecodeError if it is none or is not whole.

    ``base`` is the place of the first octet in an outer buffer, for error offsets.
    """
    reader = Reader(octets, base=base)
    apdu = _decode(reader)
    reader.finish(type(apdu).__name__)
    return apdu


def _decode(reader: Reader) -> Apdu:
    tag = reader.u8("APDU tag")
    decoder = _ONE.get(tag)
    if decoder is not None:
        return decoder(reader)
    if tag in _SERVICES:
        decoder = _TWO.get(tag << 8 | reader.u8("APDU kind"))
        if decoder is not None:
            return decoder(reader)
        raise reader.fail(f"service {tag:#04x} has no kind {reader.data[reader.offset - 1]}", "apdu", back=1)
    if tag in _CIPHERED:
        return CipheredApdu.decode(tag, reader)
    if tag in (0xDB, 0xDC):
        return GeneralCiphered.decode(tag, reader)
    if tag in (0xE6, 0xE7):
        return GatewayApdu.decode(tag, reader)
    raise DecodeError(f"{tag:#04x} is not the tag of an APDU", reader.place - 1, "apdu")


def apdu_name(octets: bytes) -> str:
    """The field's name of an APDU by its tag, ``get-response``; for logs and pages."""
    return _NAMES.get(octets[0], f"apdu-{octets[0]:02x}") if octets else "empty"


_PLAIN_NAMES: Final = {
    0x01: "initiate-request",
    0x08: "initiate-response",
    0x0E: "confirmed-service-error",
    0xC0: "get-request",
    0xC1: "set-request",
    0xC2: "event-notification",
    0xC3: "action-request",
    0xC4: "get-response",
    0xC5: "set-response",
    0xC7: "action-response",
}
_NAMES: Final = {
    **_PLAIN_NAMES,
    **{GLOBAL_TAGS[tag]: f"glo-{name}" for tag, name in _PLAIN_NAMES.items()},
    **{DEDICATED_TAGS[tag]: f"ded-{name}" for tag, name in _PLAIN_NAMES.items()},
    0x0F: "data-notification",
    0x10: "data-notification-confirm",
    0x60: "aarq",
    0x61: "aare",
    0x62: "rlrq",
    0x63: "rlre",
    0xD8: "exception-response",
    0xD9: "access-request",
    0xDA: "access-response",
    0xDB: "general-glo-ciphering",
    0xDC: "general-ded-ciphering",
    0xDD: "general-ciphering",
    0xE0: "general-block-transfer",
    0xE6: "gateway-request",
    0xE7: "gateway-response",
}
