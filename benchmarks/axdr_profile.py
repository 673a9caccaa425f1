"""A profile's buffer of six columns, decoded: ours, dlms-cosem and gurux-dlms on the same octets.

``python benchmarks/axdr_profile.py`` prints the figures with their ratios as JSON. CPU time, median of repeats.
Each peer parses to its own typed rows with date-time objects, by the parser it has for profiles; a peer that is not
installed is left out. gurux-dlms runs as a program of its own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import EncodeColumn, Tag

GURUX: Final = """
import json, statistics, sys, time
from gurux_dlms import GXByteBuffer, GXDLMSClient
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.objects import GXDLMSCaptureObject, GXDLMSClock, GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister

client = GXDLMSClient(True)

def parse(octets):
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    objects = [GXDLMSClock(), GXDLMSData("0.0.96.10.1.255")]
    objects += [GXDLMSRegister("1.0.%d.8.0.255" % group) for group in (1, 2, 3, 4)]
    for captured in objects:
        profile.captureObjects.append((captured, GXDLMSCaptureObject(2, 0)))
    value = _GXCommon.getData(client.settings, GXByteBuffer(octets), _GXDataInfo())
    client.updateValue(profile, 2, value)
    return profile.buffer

for line in sys.stdin:
    job = json.loads(line)
    octets = bytes.fromhex(job["hex"])
    took = []
    for _ in range(job["repeats"]):
        start = time.process_time()
        rows = parse(octets)
        took.append(time.process_time() - start)
    assert len(rows) == job["rows"], len(rows)
    print(json.dumps(statistics.median(took)))
"""


def profile(rows: int) -> bytes:
    """A quarter-hour profile: clock, status, four energy registers."""
    times = np.arange(rows, dtype=np.int64) * 900 + 1_704_067_200
    energies = [np.arange(rows, dtype=np.int64) * (index + 3) + 1_000_000 for index in range(4)]
    return axdr.encode_columns(
        [
            EncodeColumn(tag=Tag.OCTET_STRING, values=times, deviation_min=-60),
            EncodeColumn(tag=Tag.UNSIGNED, values=np.zeros(rows, np.uint8)),
            *[EncodeColumn(tag=Tag.DOUBLE_LONG_UNSIGNED, values=energy) for energy in energies],
        ]
    )


def cpu_s(work: Callable[[], object], *, repeats: int, inner: int = 1) -> float:
    """Median CPU seconds of one call."""
    work()
    took = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(inner):
            work()
        took.append((time.process_time() - start) / inner)
    return statistics.median(took)


def dlms_cosem_typed(octets: bytes, rows: int) -> Callable[[], object] | None:
    """The profile parser of dlms-cosem, date-times included; None if it is not installed."""
    try:
        from dlms_cosem import cosem, enumerations
        from dlms_cosem.parsers import ProfileGenericBufferParser
    except ImportError:
        return None
    interface = enumerations.CosemInterface
    clock = cosem.CosemAttribute(interface.CLOCK, cosem.Obis.from_string("0.0.1.0.0.255"), 2)
    status = cosem.CosemAttribute(interface.DATA, cosem.Obis.from_string("0.0.96.10.1.255"), 2)
    registers = [
        cosem.CosemAttribute(interface.REGISTER, cosem.Obis.from_string(f"1.0.{group}.8.0.255"), 2)
        for group in (1, 2, 3, 4)
    ]
    parser = ProfileGenericBufferParser(capture_objects=[clock, status, *registers], capture_period=15)
    if len(parser.parse_bytes(octets)) != rows:
        raise ValueError("dlms-cosem did not parse every row")
    return lambda: parser.parse_bytes(octets)


def dlms_cosem_plain(octets: bytes) -> Callable[[], object] | None:
    """The decoder of dlms-cosem to Python objects; None if it is not installed."""
    try:
        from dlms_cosem import a_xdr
    except ImportError:
        return None
    decoder = a_xdr.AXdrDecoder(encoding_conf=a_xdr.EncodingConf(attributes=[a_xdr.Sequence(attribute_name="data")]))
    return lambda: decoder.decode(octets)


def gurux_s(octets: bytes, rows: int, repeats: int) -> float | None:
    """Median CPU seconds of gurux-dlms; None if it is not installed."""
    job = json.dumps({"hex": octets.hex(), "rows": rows, "repeats": repeats})
    done = subprocess.run([sys.executable, "-c", GURUX], input=job, capture_output=True, text=True, check=False)
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            return None
        raise RuntimeError(done.stderr)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _columns(rows: int, inner: int, target: dict[str, float], limit: float) -> dict[str, Any]:
    octets = profile(rows)
    decoded = axdr.decode_columns(octets)
    if decoded.count != rows or int(decoded.times(0)[-1]) != 1_704_067_200 + 900 * (rows - 1):
        raise ValueError("ours did not decode every row")
    peers = {}
    theirs = dlms_cosem_typed(octets, rows)
    if theirs is not None:
        peers["dlms-cosem"] = 1e3 * cpu_s(theirs, repeats=5)
    gurux = gurux_s(octets, rows, 5)
    if gurux is not None:
        peers["gurux-dlms"] = 1e3 * gurux
    ours = 1e3 * cpu_s(lambda: axdr.decode_columns(octets).times(0), repeats=21, inner=inner)
    name = f"profile of {rows} rows, six columns with UTC times"
    return {
        "name": name,
        "unit": "ms",
        "ours": ours,
        "peers": peers,
        "better": "lower",
        "target": target,
        "limit": limit,
    }


def _objects(rows: int) -> dict[str, Any]:
    octets = profile(rows)
    theirs = dlms_cosem_plain(octets)
    peers = {} if theirs is None else {"dlms-cosem": 1e3 * cpu_s(theirs, repeats=5)}
    ours = 1e3 * cpu_s(lambda: axdr.to_native(octets), repeats=21, inner=5)
    name = f"profile of {rows} rows to Python objects"
    return {
        "name": name,
        "unit": "ms",
        "ours": ours,
        "peers": peers,
        "better": "lower",
        "target": {"dlms-cosem": 30},
        "limit": 1.0,
    }


def measure() -> list[dict[str, Any]]:
    """All figures of this benchmark."""
    return [
        _columns(2976, 20, {"dlms-cosem": 100, "gurux-dlms": 300}, 0.2),
        _columns(96, 200, {"dlms-cosem": 20, "gurux-dlms": 40}, 0.045),
        _objects(2976),
    ]


def run() -> list[dict[str, Any]]:
    """The figures with the ratio to each peer (above 1: ours is faster)."""
    return [
        {**row, "ratios": {name: round(theirs / row["ours"], 1) for name, theirs in row["peers"].items()}}
        for row in measure()
    ]


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
