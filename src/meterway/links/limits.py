"""The operating system's limits that many links run into."""

from __future__ import annotations

import sys

__all__ = ["raise_file_limit"]


def raise_file_limit(wanted: int) -> int:
    """Raise the limit of open files to ``wanted``, or as far as is allowed; returns how many may be open.

    Never lowers it. Where the system has no such limit, ``wanted`` is returned.
    """
    if sys.platform == "win32":
        return wanted
    import resource  # does not exist everywhere

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if goal > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
        except (ValueError, OSError):
            return soft
        return goal
    return soft
