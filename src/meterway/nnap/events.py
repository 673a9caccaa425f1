"""What the concentrator writes into its log: standard codes where there are, its own from 201 on; some are security."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

__all__ = ["SECURITY", "Code", "Event"]


class Code(IntEnum):
    """Codes of the two logs (0-0:99.98.0 everything else, 0-0:99.98.1 security)."""

    STARTED = 201
    STOPPED = 202
    NODE_LISTED = 203
    NODE_REMOVED = 204
    NODE_PROPOSED = 205
    NODE_JOINED = 206
    NODE_LEFT = 207
    NODE_SILENT = 208
    NODE_BACK = 209
    KEY_FAILED = 211
    REPLAY = 212
    ACCESS_DENIED = 213
    CLOCK_SET = 214
    METER_CLOCK_SET = 215
    METER_CLOCK_OFF = 216
    IMAGE_BEGAN = 217
    IMAGE_DONE = 218
    IMAGE_FAILED = 219
    BALANCE_OFF = 221
    TAKEN_OVER = 222
    WAKE_UP = 225
    CHILD_LOST = 226
    CHILD_BACK = 227
    CONFIGURED = 228
    NETWORK_LOST = 229
    NETWORK_BACK = 230
    BALANCE_BACK = 231
    ROW_REFUSED = 232
    REPORT_REFUSED = 233
    NODE_KIND = 234
    METER_UNKNOWN = 240
    BATTERY_LOW = 241
    READINGS_DROPPED = 242
    LOST_RAISED = 243
    FLAPPING_RAISED = 244
    BRANCH_RAISED = 245
    STRANGER_RAISED = 246
    MEDIUM_RAISED = 247
    COMPLETENESS_RAISED = 248
    LOST_ENDED = 249
    FLAPPING_ENDED = 250
    BRANCH_ENDED = 251
    STRANGER_ENDED = 252
    MEDIUM_ENDED = 253
    COMPLETENESS_ENDED = 254


SECURITY: Final = frozenset(
    (
        Code.STARTED,
        Code.STOPPED,
        Code.NODE_LISTED,
        Code.NODE_REMOVED,
        Code.NODE_JOINED,
        Code.KEY_FAILED,
        Code.REPLAY,
        Code.ACCESS_DENIED,
        Code.TAKEN_OVER,
        Code.WAKE_UP,
        Code.CONFIGURED,
        Code.STRANGER_RAISED,
        Code.STRANGER_ENDED,
    )
)
"""What the security log shows."""


class Event(NamedTuple):
    """One entry; ``serial`` is empty for the concentrator itself."""

    time_s: float
    code: Code
    serial: str = ""
    detail: str = ""

    @classmethod
    def of(cls, time_s: float, code: int, serial: str, detail: str) -> Event:
        """From a row of the store."""
        return cls(time_s, Code(code), serial, detail)
