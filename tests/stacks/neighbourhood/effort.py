"""How much work a call is, counted and not timed, so that a busy machine says the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


def instructions(call: Callable[[], object]) -> int:
    """The bytecode instructions that a call takes; what C code does within one of them is not seen."""
    count = 0

    def step(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)  # type: ignore[arg-type]
    try:
        call()
    finally:
        sys.settrace(before)
    return count
