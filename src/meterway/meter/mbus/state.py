"""What M-Bus meters must not forget in a restart, in a file that only grows until it is opened anew.

One JSON object a line; the last one of a meter counts. Message counters are reserved ahead, so that one that was sent
never comes back; a changed key is kept wrapped under the key the meter left the factory with.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError, SecurityError
from meterway.meter.mbus.device import Alarm, Condition, Episode, Folded, MbusMeter
from meterway.meter.mbus.valve import Input, Valve, after
from meterway.stacks.dlms.security.keys import unwrap_key, wrap_key

__all__ = ["FileState"]

_AHEAD: Final = 256

Json = dict[str, object]


def _row(meter: MbusMeter, counter: int) -> Json:
    factory = meter.config.secret
    return {
        "meter": str(meter.address),
        "counter": counter,
        "received": meter.received,
        "key": wrap_key(factory, meter.key).hex() if meter.key != factory else "",
        "primary": meter.primary,
        "clock": meter.clock_offset_s,
        "alarms": int(meter.alarms),
        "errors": meter.error_flags,
        "valve": int(meter.valve),
        "firmware": meter.firmware.decode("ascii"),
        "used": round(meter.used_mas),
        "episodes": [
            [one.start_s, None if one.end_s == math.inf else one.end_s, one.condition.value, one.rate]
            for one in meter.episodes
        ],
        "folded": [meter.folded.until_s, list(meter.folded.units), meter.folded.back],
    }


def _episode(start_s: int, end_s: float | None, condition: str, rate: float) -> Episode:
    return Episode(int(start_s), math.inf if end_s is None else end_s, Condition(condition), rate)


class FileState:
    """The file; ConfigError if it cannot be read or written, or holds what no meter wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, str] = {}
        self._reserved: dict[str, int] = {}
        self._load()
        try:
            self._rewrite()
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror or error}") from None

    def _load(self) -> None:
        if not self._path.exists():
            return
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self._path}: {error}") from None
        for number, line in enumerate(lines, 1):
            try:
                self._rows[str(json.loads(line)["meter"])] = line
            except (ValueError, KeyError, TypeError):
                if number != len(lines):  # the last line may have been cut by a crash
                    raise ConfigError(f"{self._path}, line {number}: not a line of a state file") from None

    def _rewrite(self) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self._rows.values())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def restore(self, meter: MbusMeter) -> None:
        """Make a new meter what it was; ConfigError if its line is damaged or its factory key is another one."""
        line = self._rows.get(str(meter.address))
        if line is None:
            return
        try:
            self._apply(meter, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self._path}: the state of {meter.address} is damaged: {error!r}") from None
        except SecurityError:
            raise ConfigError(f"{self._path}: the key of {meter.address} was changed under another key") from None

    @staticmethod
    def _apply(meter: MbusMeter, row: dict[str, object]) -> None:
        def number(name: str) -> int:
            value = row[name]
            if not isinstance(value, int):
                raise TypeError(name)
            return value

        key, clock, episodes, folded = row["key"], row["clock"], row["episodes"], row["folded"]
        if not isinstance(key, str) or not isinstance(clock, (int, float)):
            raise TypeError("key or clock")
        if not isinstance(episodes, list) or not isinstance(folded, list) or len(folded[1]) != meter.usage.channels:
            raise TypeError("episodes")
        if key:
            meter.key = unwrap_key(meter.config.secret, bytes.fromhex(key))
        meter.episodes = tuple(_episode(*one) for one in episodes)
        meter.folded = Folded(int(folded[0]), tuple(int(unit) for unit in folded[1]), int(folded[2]))
        meter.counter, meter.received, meter.primary = number("counter"), number("received"), number("primary")
        meter.firmware = str(row.get("firmware", meter.config.firmware)).encode("ascii")
        meter.clock_offset_s, meter.used_mas = clock, float(number("used"))
        meter.alarms, meter.error_flags = Alarm(number("alarms")), number("errors")
        meter.valve = after(Valve(number("valve")), Input.RESTART)

    def keep(self, meter: MbusMeter) -> None:
        """Write what changed, or the next stretch of counters; call it before anything ``meter`` made goes out."""
        name = str(meter.address)
        if meter.changed or meter.counter > self._reserved.get(name, -1):
            self._write(meter, meter.counter + _AHEAD)

    def _write(self, meter: MbusMeter, counter: int) -> None:
        name = str(meter.address)
        line = self._rows[name] = json.dumps(_row(meter, counter))
        self._file.write(line + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._reserved[name] = counter
        meter.changed = False

    def close(self, meters: tuple[MbusMeter, ...] = ()) -> None:
        """Write the counters as they are, and let go of the file."""
        for meter in meters:
            self._rows[str(meter.address)] = json.dumps(_row(meter, meter.counter))
        self._file.close()
        self._rewrite()
