"""Octets to settings of every entity: a refusal of ours or what was said, nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["meterway"]):
    from fuzz.told import check_settings


if __name__ == "__main__":
    atheris.Setup(sys.argv, check_settings)
    atheris.Fuzz()
