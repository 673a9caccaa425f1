"""Files for their owner only: they hold how people live, or keys that are sealed under another."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["make_private", "private_opener"]


def make_private(path: Path | str) -> None:
    """Make an empty file of mode 0600 unless there is one: that is as its owner wants it.

    What cannot be made is left to whoever opens it. SQLite gives its companions the mode of the file.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def private_opener(path: str, flags: int) -> int:
    """For ``open(..., opener=private_opener)``: a file that is made has mode 0600 from its first octet on."""
    return os.open(path, flags, 0o600)
