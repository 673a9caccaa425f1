"""Altered M-Bus telegrams: refused, or the same, or every number leads back to its octets. Never another number."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from altered import one_input

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
