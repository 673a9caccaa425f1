"""Telegrams altered on the air, and a concentrator that hears them: no crash, and no value that no meter sent."""

from __future__ import annotations

from pathlib import Path

from fuzz.altered import alter
from lnap_town import GAS, WATER, RadioMeter
from nnap_radio import Mast, settings

__all__ = ["Listener"]


class Listener:
    """A concentrator with a meter of each mode on its list; ``one_input`` says one telegram to it, altered.

    The first octet chooses meter and kind, the second by how much the clock goes on; the rest alters the telegram, two
    octets a change, or, where the first octet is FF, is said as it is.
    """

    def __init__(self, folder: Path) -> None:
        self.meters = [
            RadioMeter(kind=GAS, mode=7),
            RadioMeter(kind=WATER, ident="20000002", mode=7, bidirectional=False),
            RadioMeter(kind=WATER, ident="30000003", mode=10),
        ]
        self.mast = Mast(settings(folder, *self.meters))
        self._said = 0

    def one_input(self, octets: bytes) -> str:
        """What became of it; AssertionError if a value is shown that was not sent."""
        if len(octets) < 2:
            return "nothing"
        before = self._shown()
        place, self._said = octets[0] % len(self.meters), self._said + 1
        self.mast.now += octets[1]
        whole = self.meters[place].telegram(float(self._said))
        altered = octets[2:] if octets[0] == 0xFF else alter(whole, octets[2:])
        self.mast.air.say(altered, self.mast.now, "N1a")
        self.mast.nnap.tick()
        after = self._shown()
        if after == before:
            return "refused"
        changed = {channel: value for channel, value in after.items() if value != before.get(channel)}
        sent = {place + 1: self._said}
        if changed != sent:
            raise AssertionError(f"{changed} is shown, {sent} was sent: {altered.hex()}")
        return "same" if altered == whole else "proven"

    def _shown(self) -> dict[int, float]:
        """The main value of each channel that has one, in the units sent."""
        found = {}
        for channel, meter in self.mast.collector.gateway.channels.items():
            main = self.mast.collector.ledger.main(meter)[0]
            value = self.mast.collector.gateway.mirror.get(channel, main)
            if value is not None:
                found[channel] = round(value.raw * 10.0**value.scaler, 6)
        return found
