"""Octets that other implementations read, read the same by ours."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Final

import numpy as np
import pytest

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, EncodeColumn, Tag

pytestmark = [pytest.mark.peer, pytest.mark.covers("IF-I", "F1a")]

_MOMENT: Final = CosemDateTime(
    year=2024, month=2, day=29, weekday=4, hour=1, minute=2, second=3, hundredths=0, deviation_min=-60, status=0
)
_NUMBERS_AND_OCTETS: Final = axdr.structure(
    axdr.null(),
    axdr.boolean(True),
    axdr.i8(-1),
    axdr.u8(255),
    axdr.i16(-2),
    axdr.u16(65535),
    axdr.i32(-3),
    axdr.u32(2**32 - 1),
    axdr.i64(-4),
    axdr.u64(2**64 - 1),
    axdr.enum(27),
    axdr.octets(b"\x01\x00\x01\x08\x00\xff"),
    axdr.octets(bytes(range(200))),
    axdr.array(axdr.structure(axdr.u8(1), axdr.array()), axdr.structure(axdr.u8(2), axdr.array(axdr.i8(5)))),
)
_WITH_TEXT: Final = axdr.structure(axdr.visible("Kamstrup_V0001"), axdr.utf8("Meter"), _NUMBERS_AND_OCTETS)

_GURUX: Final = """
import json, sys
from gurux_dlms import GXByteBuffer, GXDLMSClient
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo

def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return {"octets": bytes(value).hex()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)

octets = bytes.fromhex(sys.stdin.read())
print(json.dumps(plain(_GXCommon.getData(GXDLMSClient(True).settings, GXByteBuffer(octets), _GXDataInfo()))))
"""


def _profile(rows: int) -> bytes:
    return axdr.encode_columns(
        [
            EncodeColumn(tag=Tag.OCTET_STRING, values=np.arange(rows) * 900 + 1_704_067_200, deviation_min=-60),
            EncodeColumn(tag=Tag.UNSIGNED, values=np.arange(rows) % 256),
            EncodeColumn(tag=Tag.DOUBLE_LONG_UNSIGNED, values=np.arange(rows) * 1000),
        ]
    )


def _same(ours: object, theirs: object) -> bool:
    """Equal, with any octet type for octets."""
    if isinstance(ours, list):
        return isinstance(theirs, list | tuple) and len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, bytes) and isinstance(theirs, dict):
        return ours.hex() == theirs["octets"]
    if isinstance(ours, bytes):
        return isinstance(theirs, bytes | bytearray) and ours == bytes(theirs)
    return ours == theirs


@pytest.mark.skipif(find_spec("dlms_cosem") is None, reason="dlms-cosem is not installed")
@pytest.mark.parametrize("octets", [axdr.encode(_NUMBERS_AND_OCTETS), _profile(300)])
def test_dlms_cosem_reads_the_same_values(octets: bytes) -> None:
    from dlms_cosem import a_xdr

    conf = a_xdr.EncodingConf(attributes=[a_xdr.Sequence(attribute_name="data")])
    theirs = a_xdr.AXdrDecoder(encoding_conf=conf).decode(octets)["data"]
    ours, end = axdr.to_native(octets)
    assert end == len(octets)
    assert _same(ours, theirs)


@pytest.mark.skipif(find_spec("dlms_cosem") is None, reason="dlms-cosem is not installed")
def test_dlms_cosem_tells_the_same_date_and_time() -> None:
    from dlms_cosem.time import datetime_from_bytes

    theirs, _ = datetime_from_bytes(_MOMENT.encode())
    assert theirs.replace(tzinfo=None) == _MOMENT.local()


@pytest.mark.skipif(find_spec("gurux_dlms") is None, reason="gurux-dlms is not installed")
@pytest.mark.parametrize("octets", [axdr.encode(_WITH_TEXT), _profile(300)])
def test_gurux_reads_the_same_values(octets: bytes) -> None:
    command = [sys.executable, "-c", _GURUX]
    done = subprocess.run(command, input=octets.hex(), capture_output=True, text=True, check=True)
    assert _same(axdr.to_native(octets)[0], json.loads(done.stdout))
