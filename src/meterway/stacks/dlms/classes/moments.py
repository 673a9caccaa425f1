"""The types of date and time, which stand in octet-strings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meterway.base.errors import DecodeError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime, Data, Tag
from meterway.stacks.dlms.classes.scalars import Mismatch, Type, tag_name, unfit

__all__ = ["DATE", "DATE_TIME", "TAGGED_DATE_TIME", "TIME", "Moment"]

_MomentClass = type[CosemDateTime] | type[CosemDate] | type[CosemTime]
_Parsed = CosemDateTime | CosemDate | CosemTime


@dataclass(frozen=True, slots=True)
class Moment:
    """A date-time, date or time inside an octet-string; with its own tag (a quirk) it is taken too.

    An empty octet-string or null-data is None (quirk ``empty-date-time``). ``own_tag`` says that the norm
    wants the moment with its own tag; the octet-string is then the quirk (``untagged-date-time``).
    """

    kind: _MomentClass
    tag: Tag
    parse: Callable[[str], _Parsed]
    own_tag: bool = False

    @property
    def name(self) -> str:
        """``date-time``, ``date`` or ``time``."""
        return tag_name(self.tag)

    def typed(self, data: Data, quirks: list[str]) -> _Parsed | None:
        """The moment with its unspecified parts."""
        if data.tag == self.tag and isinstance(data.value, self.kind):
            if not self.own_tag:
                quirks.append("tagged-date-time")
            return data.value
        if data.tag == Tag.NULL_DATA or data.value == b"":
            quirks.append("empty-date-time")
            return None
        if data.tag != Tag.OCTET_STRING or not isinstance(data.value, bytes):
            raise Mismatch(f"{tag_name(data.tag)} where {self.name} must be")
        if self.own_tag:
            quirks.append("untagged-date-time")
        try:
            return self.kind.decode(data.value)
        except DecodeError as error:
            raise Mismatch(error.message) from None

    def untyped(self, value: object) -> Data:
        """From the class, a datetime with a zone, ISO text, a mapping of parts, or None (nothing specified)."""
        try:
            moment = self._moment(value)
            octets = moment.encode()
        except (TypeError, ValueError):
            raise unfit(value, self.name) from None
        return Data(self.tag, moment) if self.own_tag else axdr.octets(octets)

    def _moment(self, value: object) -> _Parsed:
        if isinstance(value, self.kind):
            return value
        if isinstance(value, str):
            return self.parse(value)
        if isinstance(value, Mapping):
            return self.kind(**value)
        if value is None:
            return self.kind()
        if isinstance(value, dt.date | dt.time):
            return self.parse(value.isoformat())
        raise unfit(value, self.name)


def _parse_date_time(text: str) -> CosemDateTime:
    return CosemDateTime.from_utc(dt.datetime.fromisoformat(text))


def _parse_date(text: str) -> CosemDate:
    date = dt.date.fromisoformat(text)
    return CosemDate(year=date.year, month=date.month, day=date.day)


def _parse_time(text: str) -> CosemTime:
    return CosemTime.from_time(dt.time.fromisoformat(text))


DATE_TIME: Type = Moment(CosemDateTime, Tag.DATE_TIME, _parse_date_time)
TAGGED_DATE_TIME: Type = Moment(CosemDateTime, Tag.DATE_TIME, _parse_date_time, own_tag=True)
DATE: Type = Moment(CosemDate, Tag.DATE, _parse_date)
TIME: Type = Moment(CosemTime, Tag.TIME, _parse_time)
