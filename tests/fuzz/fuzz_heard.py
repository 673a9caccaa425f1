"""Altered telegrams into a concentrator's collector: no crash, and no value that no meter sent."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports():
    from fuzz.heard import Listener

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        atheris.Setup(sys.argv, Listener(Path(folder)).one_input)
        atheris.Fuzz()
