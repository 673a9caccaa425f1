"""The places on the air of one access point: what is heard at any of them goes to its meters."""

from __future__ import annotations

from collections.abc import Callable

from meterway.interfaces.mbus.airing import Airing
from meterway.interfaces.mbus.attaching import Attach
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.rules import Window
from meterway.interfaces.mbus.settings import RadioConfig
from meterway.links.radio import RadioPort
from meterway.stacks.mbus.address import Address

__all__ = ["Places"]


class Places:
    """Where it listens. ``own`` is its address, ``shift`` how many seconds its clock is ahead of the radios'."""

    def __init__(self, ledger: Ledger, own: Address, shift: Callable[[], float]) -> None:
        self._ledger = ledger
        self._own = own
        self._shift = shift
        self.airings: list[Airing] = []

    def attach(self, port: RadioPort, windows: tuple[Window, ...] = (), *, adds_checks: bool = False) -> Airing:
        """Listen on a radio port; see ``Airing`` for ``adds_checks``."""
        airing = Airing(port, self._ledger, self._own, windows, shift=self._shift, adds_checks=adds_checks)
        self.airings.append(airing)
        return airing

    def taking(self, radio: RadioConfig) -> Attach:
        """How a place on the air is taken and left again."""
        windows = tuple(window.window() for window in radio.windows)

        def attach(port: RadioPort) -> Callable[[], object]:
            airing = self.attach(port, windows, adds_checks=radio.receiver != "simulated")

            def leave() -> None:
                self.airings.remove(airing)

            return leave

        return attach

    def close(self) -> None:
        """Off the air."""
        for airing in self.airings:
            airing.close()
