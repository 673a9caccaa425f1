"""Octets to what a concentrator is told (admissions, wake-ups, relayed APDUs): refused, or what was said."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["meterway"]):
    from fuzz.told import check_nnap


if __name__ == "__main__":
    atheris.Setup(sys.argv, check_nnap)
    atheris.Fuzz()
