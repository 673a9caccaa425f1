"""Any DLMS APDU to a decoded telegram: layer by layer, through every envelope whose key is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import IntEnum, IntFlag
from math import isfinite
from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, MeterwayError, SecurityError
from meterway.base.obis import Obis
from meterway.mapping.dlms_access import readings_of_access
from meterway.mapping.dlms_push import readings_of
from meterway.mapping.general_ciphering import open_general, session_keys
from meterway.mapping.ordered_lists import is_known_by_form
from meterway.mapping.p1 import decode_telegram as decode_p1
from meterway.mapping.untagged import UNTAGGED_DESCRIPTORS, decode_untagged
from meterway.model.reading import Reading, iso_utc
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import MECHANISMS, Aare, Aarq, Rlre
from meterway.stacks.dlms.apdu import Apdu, apdu_name, decode_apdu
from meterway.stacks.dlms.axdr import CompactArray, CosemDateTime, Data
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, open_octets
from meterway.stacks.dlms.xdlms.access import AccessResponse
from meterway.stacks.dlms.xdlms.ciphered import (
    AGREED_KEY,
    CipheredApdu,
    GatewayApdu,
    GeneralCiphered,
    GeneralCiphering,
)
from meterway.stacks.dlms.xdlms.error import ConfirmedServiceError, ExceptionResponse
from meterway.stacks.dlms.xdlms.notification import DataNotification, EventNotification
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

__all__ = ["DlmsKeys", "DlmsDecoder", "cosem_json"]

_IDS: Final = ("0-0:96.1.0", "1-1:0.0.5", "0-0:42.0.0", "0-0:96.1.1")
_ENCODED: Final = frozenset({"value", "body", "parameters", "result", "returned"})
_SECRETS: Final = frozenset({"authentication_value", "dedicated_key"})
_MAX_DEPTH: Final = 4
_SHORTEST_ID: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class DlmsKeys:
    """What is known to open protected APDUs; never shown."""

    keys: tuple[bytes, ...] = ()
    auth_key: bytes | None = None
    system_title: bytes = b""

    def __repr__(self) -> str:
        return f"DlmsKeys({len(self.keys)} keys)"


@dataclass(slots=True)
class DlmsDecoder:
    """Collects layers, readings and quirks while it goes inwards; what it has stands even when it fails."""

    keys: DlmsKeys = field(default_factory=DlmsKeys)
    device: dict[str, Json] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    layers: list[dict[str, Json]] = field(default_factory=list)
    security: dict[str, Json] = field(default_factory=lambda: {"encrypted": False, "authenticated": False})
    quirks: list[str] = field(default_factory=list)
    inner: DecodedTelegram | None = None

    def telegram(self) -> DecodedTelegram:
        """All that was found."""
        if self.inner is not None:
            return DecodedTelegram(
                protocol=self.inner.protocol,
                device={**self.device, **self.inner.device},
                readings=self.inner.readings,
                layers=(*self.layers, *self.inner.layers),
                security=self.security,
                quirks=(*dict.fromkeys(self.quirks), *self.inner.quirks),
            )
        return DecodedTelegram(
            protocol="dlms",
            device=self.device,
            readings=tuple(self.readings),
            layers=tuple(self.layers),
            security=self.security,
            quirks=tuple(dict.fromkeys(self.quirks)),
        )

    def take(self, octets: bytes, *, base: int = 0, depth: int = 0) -> None:
        """Decode one APDU and what is inside it; DecodeError or SecurityError says what stands in the way."""
        if depth > _MAX_DEPTH:
            raise DecodeError("envelopes within envelopes", base, "depth")
        apdu = decode_apdu(octets, base=base)
        if isinstance(apdu, CipheredApdu):
            self._ciphered(apdu_name(octets), apdu.protected, self.keys.system_title, depth)
        elif isinstance(apdu, GeneralCiphered):
            self._general(apdu, octets, depth)
        elif isinstance(apdu, GatewayApdu):
            layer: dict[str, Json] = {"layer": apdu_name(octets), "network_id": apdu.network_id}
            self.layers.append(layer | {"address": apdu.address.hex()})
            self.take(apdu.apdu, base=base + len(octets) - len(apdu.apdu), depth=depth + 1)
        elif isinstance(apdu, DataNotification):
            self._notification(apdu, base=base + len(octets) - len(apdu.body))
        else:
            self._plain(apdu_name(octets), apdu, depth)

    # -- envelopes ----------------------------------------------------------------------------------------------------

    def _general(self, apdu: GeneralCiphered, octets: bytes, depth: int) -> None:
        title = apdu.system_title or self.keys.system_title
        if apdu.system_title:
            self.device["system_title"] = title.hex().upper()
            if title[:3].isalpha():
                self.device["manufacturer"] = title[:3].decode("ascii", "replace")
        else:
            self.quirks.append("no-system-title")
        self._ciphered(apdu_name(octets), apdu.protected, title, depth)

    def _ciphered(self, name: str, protected: bytes, title: bytes, depth: int) -> None:
        if len(protected) < 5:
            raise DecodeError("a protected APDU has at least 5 octets", 0, "truncated")
        control, counter = protected[0], int.from_bytes(protected[1:5], "big")
        self.layers.append(
            {
                "layer": name,
                "system_title": title.hex().upper(),
                "security_control": control,
                "invocation_counter": counter,
            }
        )
        self.security = {
            "encrypted": bool(control & ENCRYPTED),
            "authenticated": False,
            "suite": control & 0x0F,
            "security_control": control,
            "invocation_counter": counter,
            "system_title": title.hex().upper(),
        }
        self._open(protected, title, control, depth)

    def _open(self, protected: bytes, title: bytes, control: int, depth: int) -> None:
        if not self.keys.keys and control & ENCRYPTED:
            raise SecurityError("the APDU is encrypted and no key was given", "key")
        if len(title) != 8 and control & (ENCRYPTED | AUTHENTICATED):
            raise SecurityError("the sender's system title (8 octets) is needed to open the APDU", "title")
        refused: MeterwayError | None = None
        for key in self.keys.keys or (bytes(16),):
            try:
                self._open_with(key, protected, title, control, depth)
            except (SecurityError, DecodeError) as error:
                refused = error
            else:
                return
        if refused is not None:
            raise refused

    def _open_with(self, key: bytes, protected: bytes, title: bytes, control: int, depth: int) -> None:
        auth_key = self.keys.auth_key if self.keys.keys else None
        cipher = Gcm12(key)
        plain, _, _ = open_octets(cipher, None, title, protected)
        if auth_key is not None and plain[:1] != b"/":
            plain, _, _ = open_octets(cipher, auth_key, title, protected)
        verified = bool(control & AUTHENTICATED) and auth_key is not None
        if plain[:1] == b"/":
            self._p1(key, protected, title)
        else:
            self._inside(plain, depth, verified=verified)
        self.security["authenticated"] = verified or bool(self.inner and self.inner.security.get("authenticated"))
        if control & AUTHENTICATED and not self.security["authenticated"]:
            self.quirks.append("tag-not-verified")

    def _inside(self, plain: bytes, depth: int, *, verified: bool) -> None:
        before = (len(self.layers), len(self.readings), len(self.quirks))
        try:
            self.take(plain, depth=depth + 1)
        except DecodeError as error:
            del self.layers[before[0] :], self.readings[before[1] :], self.quirks[before[2] :]
            if verified:
                raise
            raise SecurityError(f"what the key opens is no APDU ({error}): wrong key", "key") from None

    def _p1(self, key: bytes, protected: bytes, title: bytes) -> None:
        whole = GeneralCiphered(tag=0xDB, system_title=title, protected=protected).encode()
        self.inner = decode_p1(whole, (key,), self.keys.auth_key)
        self.layers.pop()

    # -- what is inside -----------------------------------------------------------------------------------------------

    def _notification(self, apdu: DataNotification, *, base: int) -> None:
        self.quirks += apdu.quirks
        moment = CosemDateTime.decode(apdu.date_time) if apdu.date_time else None
        if moment is None:
            self.quirks.append("empty-date-time")
        time = moment.utc() if moment is not None and moment.deviation_min is not None else None
        body = self._body(apdu.body, base)
        self.layers.append(
            {
                "layer": "data-notification",
                "invoke_id": apdu.invoke,
                "date_time": _local(moment),
                "body": cosem_json(body),
            }
        )
        self.device["time"] = iso_utc(time) or _local(moment)
        self._read(body, time, is_tagged="tagged-date-time" in apdu.quirks)

    def _body(self, octets: bytes, base: int) -> Data:
        try:
            return axdr.decode_all(octets)
        except DecodeError as error:
            try:
                body = decode_untagged(octets, base=base)
            except DecodeError:
                raise DecodeError(error.message, base + error.offset, error.kind) from None
        self.quirks.append(UNTAGGED_DESCRIPTORS)
        return body

    def _read(self, body: Data, time: datetime | None, *, is_tagged: bool = False) -> None:
        self.readings += readings_of(body, time=time, is_tagged=is_tagged)
        if isinstance(body.value, tuple) and is_known_by_form(body.value):
            self.quirks.append("named-by-form")
        last = body.value[-1].value if isinstance(body.value, tuple) and body.value else None
        if isinstance(last, bytes) and len(last) >= _SHORTEST_ID and last.isalnum():
            self.device["id"] = last.decode("ascii")
        found = {reading.obis.short: reading.value for reading in self.readings if reading.obis is not None}
        identity = next((found[code] for code in _IDS if isinstance(found.get(code), str)), None)
        if identity is not None:
            self.device["id"] = str(identity)

    def _plain(self, name: str, apdu: Apdu, depth: int) -> None:
        layer: dict[str, Json] = {"layer": name, **_fields(apdu)}
        self.layers.append(layer)
        if isinstance(apdu, Aarq | Aare | Rlre):
            self._association(apdu, layer, depth)
        elif isinstance(apdu, ExceptionResponse | ConfirmedServiceError):
            layer["words"] = apdu.words
        elif isinstance(apdu, GeneralCiphering):
            self._general_ciphering(apdu, depth)
        elif isinstance(apdu, AccessResponse):
            self.readings += readings_of_access(apdu)
        elif isinstance(apdu, EventNotification):
            self._event(apdu)

    def _event(self, apdu: EventNotification) -> None:
        moment = CosemDateTime.decode(apdu.date_time) if apdu.date_time and len(apdu.date_time) == 12 else None
        time = moment.utc() if moment is not None else None
        self._read(axdr.structure(axdr.octets(bytes(apdu.attribute.obis)), axdr.decode_all(apdu.value)), time)

    def _association(self, apdu: Aarq | Aare | Rlre, layer: dict[str, Json], depth: int) -> None:
        title = apdu.calling_ap_title if isinstance(apdu, Aarq) else getattr(apdu, "responding_ap_title", None)
        if title:
            self.device["system_title"] = title.hex().upper()
        mechanism = getattr(apdu, "mechanism", None)
        if mechanism is not None:
            layer["mechanism_name"] = MECHANISMS.get(mechanism, str(mechanism))
        information = apdu.user_information
        if not information:
            return
        keys = DlmsKeys(keys=self.keys.keys, auth_key=self.keys.auth_key, system_title=title or self.keys.system_title)
        inner = DlmsDecoder(keys=keys)
        try:
            inner.take(information, depth=depth + 1)
        except SecurityError as error:
            inner.security["refused"] = error.check
        self.layers += inner.layers
        if inner.security["encrypted"] or inner.security.get("refused"):
            self.security = inner.security

    def _general_ciphering(self, apdu: GeneralCiphering, depth: int) -> None:
        self.device["system_title"] = apdu.originator.hex().upper()
        control = apdu.protected[0] if apdu.protected else 0
        self.security = {
            "encrypted": bool(control & ENCRYPTED),
            "authenticated": False,
            "suite": control & 0x0F,
            "security_control": control,
            "invocation_counter": int.from_bytes(apdu.protected[1:5], "big"),
            "key_info": None if apdu.key_info is None else apdu.key_info[0],
        }
        refused: MeterwayError | None = None
        for key in session_keys(apdu, self.keys.keys):
            try:
                self._open_general(apdu, key, control, depth)
            except (SecurityError, DecodeError) as error:
                refused = refused or error
            else:
                return
        if refused is not None and self.security["key_info"] != AGREED_KEY:
            raise refused
        self.quirks.append("general-ciphering-not-opened")

    def _open_general(self, apdu: GeneralCiphering, key: bytes, control: int, depth: int) -> None:
        auth_key = self.keys.auth_key
        plain, quirks = open_general(apdu, key, auth_key)
        verified = bool(control & AUTHENTICATED) and auth_key is not None
        security = self.security
        self._inside(plain, depth, verified=verified)
        self.security = {**security, "authenticated": verified}
        self.quirks += quirks
        if control & AUTHENTICATED and not verified:
            self.quirks.append("tag-not-verified")


def _local(moment: CosemDateTime | None) -> str | None:
    if moment is None:
        return None
    local = moment.local()
    return local.isoformat() if local is not None else moment.encode().hex()


def cosem_json(data: Data) -> Json:
    """COSEM data as JSON: lists, numbers, text; octet-strings as hex."""
    value = data.value
    if isinstance(value, CompactArray):
        return [cosem_json(row) for row in value.rows()]
    if isinstance(value, tuple):
        return [cosem_json(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _fields(apdu: object) -> dict[str, Json]:
    if not is_dataclass(apdu):
        return {}
    return {item.name: _field(item.name, getattr(apdu, item.name)) for item in fields(apdu)}


def _field(name: str, value: object) -> Json:
    if value is None or isinstance(value, bool | str):
        return value
    if name in _SECRETS:
        return "<hidden>"
    if isinstance(value, IntFlag):
        return list(getattr(value, "names", []))
    if isinstance(value, IntEnum):
        return str(getattr(value, "word", value.name))
    if isinstance(value, int | float):
        return value
    if isinstance(value, bytes):
        return _octets(name, value)
    if isinstance(value, Obis):
        return str(value)
    if isinstance(value, AttributeDescriptor):
        return {"class": value.class_id, "obis": str(value.obis), "attribute": value.attribute}
    if isinstance(value, Sequence):
        return _sequence(name, value)
    return (
        {item.name: _field(item.name, getattr(value, item.name)) for item in fields(value)}
        if is_dataclass(value)
        else str(value)
    )


def _sequence(name: str, value: Sequence[object]) -> Json:
    names = getattr(value, "_fields", None)
    if isinstance(names, tuple):
        return {part: _field(part, item) for part, item in zip(names, value, strict=True)}
    return [_field(name, item) for item in value]


def _octets(name: str, value: bytes) -> Json:
    if name in _ENCODED or name in ("data", "values", "results", "request"):
        try:
            return cosem_json(axdr.decode_all(value))
        except DecodeError:
            return value.hex()
    return value.hex()
