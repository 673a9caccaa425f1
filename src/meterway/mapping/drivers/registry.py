"""The drivers there are: those of the package, and those of a user's folder before them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError
from meterway.mapping.drivers.driver import Driver
from meterway.mapping.drivers.interpret import driven_readings
from meterway.mapping.drivers.schema import parse_driver
from meterway.mapping.mbus import decoded
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.mbus.address import DEVICE_TYPES, Address
from meterway.stacks.mbus.opening import Dialect
from meterway.stacks.mbus.records.compact import Formats, signature
from meterway.stacks.mbus.telegram import Telegram

__all__ = ["Drivers", "bundled_drivers", "drivers_of", "read_drivers"]

_CACHE_LIMIT: Final = 4096


class Drivers:
    """Drivers in the order in which they are asked, the first that fits a meter is used.

    ``formats`` are the record headers that compact frames of these meters are known to have, by signature.
    """

    def __init__(self, drivers: Iterable[Driver] = ()) -> None:
        self.drivers = tuple(drivers)
        self.formats = {signature(heads): heads for driver in self.drivers for heads in driver.formats}
        self._makers = frozenset(
            maker for driver in self.drivers for match in driver.matches for maker in match.manufacturers
        )
        self._found: dict[tuple[int, int, int, int], Driver | None] = {}

    def find(self, address: Address, ci: int) -> Driver | None:
        """The driver for a telegram with this CI of this meter."""
        if address.manufacturer & 0x7FFF not in self._makers:
            return None
        key = (address.manufacturer, address.version, address.device_type, ci)
        try:
            return self._found[key]
        except KeyError:
            pass
        if len(self._found) >= _CACHE_LIMIT:
            self._found.clear()
        found = next((one for one in self.drivers if any(match.fits(address, ci) for match in one.matches)), None)
        self._found[key] = found
        return found

    def dialect(self, address: Address, ci: int) -> Dialect | None:
        """What must be known of a meter before its payload is read."""
        if address.manufacturer & 0x7FFF not in self._makers:
            return None
        driver = self.find(address, ci)
        return driver.dialect if driver is not None else None

    def seed(self, formats: Formats) -> Formats:
        """Put the drivers' record formats among those that are known."""
        for code, heads in self.formats.items():
            if code not in formats.known:
                formats.add(heads)
        return formats

    def decoded(self, telegram: Telegram, *, keys: Sequence[bytes] = (), zone: tzinfo = UTC) -> DecodedTelegram:
        """A telegram as every decoder hands it on, with what its driver knows; ``device`` then names the driver.

        ``keys`` are for the manufacturer's own scrambling.
        """
        plain = decoded(telegram, zone=zone)
        if telegram.device is None or telegram.tpl is None:
            return plain
        driver = self.find(telegram.device, telegram.tpl.ci)
        if driver is None:
            return plain
        return replace(
            plain,
            device=_device(driver, telegram.device, plain.device),
            readings=driven_readings(driver, telegram, plain.readings, keys=keys, zone=zone),
        )


def _device(driver: Driver, address: Address, device: dict[str, Json]) -> dict[str, Json]:
    if driver.ident_last:
        octets = address.to_radio()
        version, kind = octets[2], octets[3]
        device = device | {
            "id": octets[:3:-1].hex().upper(),
            "version": version,
            "medium": DEVICE_TYPES.get(kind, f"type 0x{kind:02X}"),
            "type": kind,
        }
    return device | {"driver": driver.name}


@cache
def _all_bundled() -> tuple[Driver, ...]:
    folder = resources.files(__package__)
    files = sorted((one.name, one.read_text("utf-8")) for one in folder.iterdir() if one.name.endswith(".toml"))
    return tuple(parse_driver(text, name.removesuffix(".toml"), file=name) for name, text in files)


@cache
def bundled_drivers() -> Drivers:
    """The drivers of the package that need not be asked for."""
    return drivers_of()


def drivers_of(own: Iterable[Driver] = (), *, named: Collection[str] = ()) -> Drivers:
    """``own`` drivers, then those of the package; of drivers that are to be asked for only the ``named`` ones.

    An own driver takes the place of the package's of the same name. ConfigError for a name that no driver has.
    """
    mine = tuple(own)
    names = {driver.name for driver in mine}
    every = (*mine, *(driver for driver in _all_bundled() if driver.name not in names))
    unknown = sorted(set(named) - {driver.name for driver in every})
    if unknown:
        raise ConfigError(f"there is no driver {unknown[0]!r}")
    return Drivers(driver for driver in every if not driver.opt_in or driver.name in named)


def read_drivers(folder: str) -> tuple[Driver, ...]:
    """The drivers in the TOML files of a folder, by file name; ConfigError names file and field."""
    try:
        files = sorted(path for path in Path(folder).iterdir() if path.suffix == ".toml")
        texts = [(path, path.read_text("utf-8")) for path in files]
    except OSError as error:
        raise ConfigError(f"drivers in {folder}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"drivers in {folder}: a file is not UTF-8 text") from None
    return tuple(parse_driver(text, path.stem, file=str(path)) for path, text in texts)
