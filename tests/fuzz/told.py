"""What people, head ends and concentrators tell in octets and text: reports, admissions, calls, home orders, settings.

Each check raises AssertionError for what is read and is not what was said; anything but a refusal of ours is a crash.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from fuzz.altered import alter
from meterway.base.errors import ConfigError, DecodeError, MeterwayError, SecurityError
from meterway.display import config as display
from meterway.headend import config as headend
from meterway.headend.inflate import inflated
from meterway.home import config as home
from meterway.lnap import config as lnap
from meterway.lnap.sample import sample as lnap_sample
from meterway.mapping.home import LoadOrder, Signal
from meterway.meter import config as meter
from meterway.meter.mbus import config as mbus
from meterway.model.report import (
    Column,
    Node,
    Report,
    ReportEvent,
    Series,
    decode_receipt,
    decode_report,
    encode_receipt,
    encode_report,
)
from meterway.nnap import config as nnap
from meterway.nnap.admission import Admission
from meterway.nnap.broadcast import Broadcaster
from meterway.nnap.matching import Relays, may_answer, unwrapped
from meterway.nnap.wake import check_wake, wake_datagram
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.gateway import REQUEST
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter

__all__ = ["SETTINGS", "check_home", "check_nnap", "check_report", "check_settings", "check_text"]

TITLE: Final = "4d57590000000001"
MOST: Final = 1 << 16
NOW: Final = 1_795_000_000
SECRET: Final = "00112233445566778899aabbccddeeff"

# -- reports ----------------------------------------------------------------------------------------------------------

REPORT: Final = Report(
    id="NNAP0001-000017", nnap="NNAP0001", system_title=TITLE, created=NOW, from_=NOW - 3600, to=NOW,
    meters=[
        Series(
            serial="M1", system_title=TITLE, profile="1-0:99.1.0*255", period_s=900, times=[NOW - 1800, NOW - 900],
            columns=[
                Column(class_id=3, obis="1-0:1.8.0*255", attribute=2, scaler=0, unit=30),
                Column(class_id=1, obis="0-0:96.1.0*255", attribute=2),
            ],
            status=[0, 8], values=[[12345, 12400], ["a<&>b", None]],
        )
    ],
    events=[ReportEvent(serial="M1", system_title=TITLE, time=NOW - 5, log="0-0:99.98.0*255", code=2)],
    topology=[Node(serial="M1", system_title=TITLE, eui=TITLE, address=7, state="member", hops=2, quality=98)],
)  # fmt: skip
_REPORTS: Final = tuple(encode_report(REPORT, xml=xml) for xml in (False, True))


def _report(octets: bytes, *, xml: bool) -> None:
    try:
        found = decode_report(octets, xml=xml)
    except DecodeError:
        return
    assert decode_report(encode_report(found)) == found, "a report does not come back in JSON"
    as_xml = decode_report(encode_report(found, xml=True), xml=True)
    assert decode_report(encode_report(as_xml, xml=True), xml=True) == as_xml, "a report does not come back in XML"


def check_report(octets: bytes) -> None:
    """Octets as a report in both forms, as what alters a whole one, as a receipt, as something compressed."""
    for xml, whole in enumerate(_REPORTS):
        _report(octets, xml=bool(xml))
        if octets:
            _report(alter(whole, octets), xml=bool(xml))
    try:
        receipt = decode_receipt(octets)
        assert decode_receipt(encode_receipt(receipt)) == receipt
    except DecodeError:
        pass
    for encoding in (None, "gzip", "zstd"):
        try:
            assert len(inflated(octets, MOST, encoding)) <= MOST
        except DecodeError:
            continue


# -- the concentrator -------------------------------------------------------------------------------------------------

_KEYS: Final = Keys(bytes(range(16)), bytes(range(16, 32)))
_WAKE: Final = wake_datagram(title=b"MWYHEAD1", keys=_KEYS, counter=SendCounter(7), now=NOW)
_ADMISSION: Final = Admission(
    eui=b"MWYEUI01", listed=True, serial="M1", title=b"MWY00001", role="meter", key=bytes(16), guek=bytes(16),
    gak=bytes(16),
)  # fmt: skip


class _Site:
    """What a wake-up asks a concentrator for."""

    def title(self, channel: int) -> bytes:
        return b"MWYNNAP1"

    def keys(self, party: object, channel: int) -> Keys:
        return _KEYS

    def receiving(self, party: object, channel: int) -> ReceivedCounter:
        return ReceivedCounter()


def _admission(octets: bytes) -> None:
    try:
        found = Admission.decode(octets)
    except DecodeError:
        return
    assert Admission.decode(found.encode()) == found, "an admission does not come back"


def _wakes(octets: bytes) -> bool:
    site: Any = _Site()
    try:
        check_wake(octets, site, site, site, now=NOW, valid_s=300.0)
    except (SecurityError, DecodeError):
        return False
    return True


def _relayed(octets: bytes) -> None:
    path, rest = unwrapped(octets, REQUEST)
    assert b"".join(device.prefix(REQUEST) for device in path) + rest == octets
    cut = len(octets) // 2
    heard: list[bytes | None] = []
    relays = Relays()
    relays.add("one", octets[:cut], lambda apdu, _: heard.append(apdu), 10.0)
    taken = relays.take("one", octets[cut:], 1.0)
    assert taken == may_answer(octets[:cut], octets[cut:])
    relays.expire(10.0)
    relays.take("one", octets[cut:], 11.0)
    relays.end(12.0)
    assert heard == [octets[cut:] if taken else None], "each request is answered once"


def check_nnap(octets: bytes) -> None:
    """Octets as an admission, a wake-up, an order to follow and a pair of request and answer; the first two altered."""
    _admission(octets)
    _relayed(octets)
    counter = SendCounter(5)
    Broadcaster(title=b"MWYNNAP1", keys=_KEYS, counter=counter).follow(octets, NOW)
    assert 5 <= counter.next <= NOW + 86_401
    assert not _wakes(octets) or octets == _WAKE
    if octets:
        _admission(alter(_ADMISSION.encode(), octets))
        altered = alter(_WAKE, octets)
        assert _wakes(altered) == (altered == _WAKE), "an altered wake-up wakes"


# -- homes ------------------------------------------------------------------------------------------------------------


def check_home(octets: bytes) -> None:
    """Octets as an order to loads and as a signal; what is read comes back."""
    try:
        native, _ = axdr.to_native(octets)
    except DecodeError:
        return
    kinds: tuple[Any, ...] = (LoadOrder, Signal)
    for kind in kinds:
        try:
            found = kind.decode(native)
        except DecodeError:
            continue
        again, _ = axdr.to_native(axdr.encode(found.encode()))
        assert kind.decode(again) == found, f"a {kind.__name__} does not come back"


# -- settings ---------------------------------------------------------------------------------------------------------

Load = Callable[[Path], object]


def _used_nnap(path: Path) -> None:
    config = nnap.load_config(path)
    config.rules()
    parts: list[Callable[[], object]] = [one.party for one in config.parties]
    parts += [lambda one=one: one.node(1) for one in config.nodes]  # type: ignore[misc]  # bound at once
    if config.broadcast is not None:
        parts.append(lambda broadcast=config.broadcast: broadcast.keys)  # type: ignore[misc]
    for part in parts:
        part()


SETTINGS: Final[tuple[tuple[Callable[[], str], Load], ...]] = (
    (nnap.sample, _used_nnap),
    (lnap_sample, lnap.load_config),
    (home.sample, home.load_config),
    (meter.sample, meter.load_config),
    (mbus.sample, mbus.load_config),
    (headend.sample, headend.load_config),
    (display.write_config, display.load_config),
)
_VALUES: Final = (
    "0", "-1", "1", "true", '""', '"x"', '"env:NO_SUCH_NAME"', "[]", "[[]]", "{}", "[1, 2]", '["a"]', "1e308", "nan",
    "inf", "-0.0", "1979-05-27T07:32:00Z", "9223372036854775807", '"\\u0000"', f'"{"A" * 300}"', '"::1"',
    '"../../../x"', '"ffeeddccbbaa99887766554433221100"', "65536", "0.5", '"22:00-06:00"', '"1-0:1.8.0*255"',
)  # fmt: skip
_AS_SHOWN: Final = 0xC0
_LINE: Final = re.compile(r"^#? ?(\[\[?[a-z_.0-9]+\]\]?|[a-z_0-9]+ = [^#]+)")


@cache
def _lines(place: int) -> tuple[tuple[str, bool], ...]:
    """Every setting of a sample, and whether it is there or commented out."""
    text = SETTINGS[place][0]()
    for name in re.findall(r"env:([A-Z0-9_]+)", text):
        os.environ.setdefault(name, SECRET)
    found = [(_LINE.match(line), line) for line in text.splitlines()]
    return tuple((match[1].strip(), not line.startswith("#")) for match, line in found if match is not None)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fuzz-settings-")


def check_settings(octets: bytes) -> str:
    """The first octet chooses whose; two octets each then give a line another value, drop it or say it twice."""
    if not octets:
        return ""
    place = octets[0] % len(SETTINGS)
    known = _lines(place)
    lines = [text if is_there else "" for text, is_there in known]
    for at, change in zip(octets[1::2], octets[2::2], strict=False):
        number = at % len(lines)
        text, _ = known[number]
        key = text.partition(" = ")[0]
        if change >= _AS_SHOWN:
            lines[number] = text
        elif change == _AS_SHOWN - 1:
            lines[number] = ""
        elif key.startswith("["):
            lines[number] = f"{text}\n{text}" if change % 2 else text
        else:
            lines[number] = f"{key} = {_VALUES[change % len(_VALUES)]}"
    path = Path(_folder().name) / "settings.toml"
    path.write_text("\n".join(lines))
    return _load(place, path)


def check_text(octets: bytes) -> str:
    """The first octet chooses whose; the rest is the file."""
    path = Path(_folder().name) / "settings.toml"
    path.write_bytes(octets[1:])
    return _load(octets[0] % len(SETTINGS), path) if octets else ""


def _load(place: int, path: Path) -> str:
    try:
        SETTINGS[place][1](path)
    except ConfigError as error:
        assert SECRET not in str(error), "a key in a complaint"
        return str(error)
    except MeterwayError as error:
        raise AssertionError(f"{type(error).__name__} where settings are wrong: {error}") from error
    return "loaded"
