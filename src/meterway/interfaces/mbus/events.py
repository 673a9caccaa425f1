"""What the gateway logs: numbers, as ``mapping/profiles/lnap.csv`` names them to a head end."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

__all__ = ["Code", "Event"]


class Code(IntEnum):
    """Event numbers. Those below 200 are the ones of M-Bus event logs, for the one channel they are told of."""

    COMMUNICATION_ERROR = 100
    COMMUNICATION_OK = 101
    REPLACE_BATTERY = 102
    FRAUD_ATTEMPT = 103
    CLOCK_ADJUSTED = 104
    REMOTE_DISCONNECTION = 162
    REMOTE_CONNECTION = 163
    VALVE_ALARM = 164
    STARTED = 201
    STOPPED = 202
    METER_BOUND = 203
    METER_LEFT = 204
    METER_PROPOSED = 205
    INSTALLATION_BEGAN = 206
    INSTALLATION_ENDED = 207
    KEY_INSTALLED = 208
    KEY_TRANSFERRED = 209
    REPLAY = 210
    NOT_AUTHENTIC = 211
    NOT_PROTECTED = 212
    REGISTER_FELL = 213
    REGISTER_JUMPED = 214
    TIME_BACKWARDS = 215
    ORDER_DONE = 216
    ORDER_REFUSED = 217
    ORDER_EXPIRED = 218
    READINGS_DROPPED = 219
    ACCESS_DENIED = 220
    FIRMWARE_READY = 221
    FIRMWARE_REFUSED = 222
    FIRMWARE_ACTIVATED = 223
    CLOCK_SET = 224
    METER_ALARM = 225
    PARTY_KEY_CHANGED = 226
    PARTY_KEY_REFUSED = 227
    FIRMWARE_ROLLED_BACK = 228
    METER_UNKNOWN = 229
    LOG_CLEARED = 255


class Event(NamedTuple):
    """One entry of the log; ``channel`` 0 is the gateway itself."""

    time_s: float
    code: Code
    channel: int = 0
    detail: str = ""

    @classmethod
    def of(cls, time_s: float, code: int, channel: int, detail: str) -> Event:
        """From a row of the store."""
        return cls(time_s, Code(code), channel, detail)
