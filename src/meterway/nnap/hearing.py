"""How a concentrator comes to hear battery meters: its collector as the settings say, its receivers attended to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator

from meterway.interfaces.mbus.attaching import stay_attached
from meterway.interfaces.mbus.rules import Party
from meterway.nnap.collector import Collector
from meterway.nnap.config import NnapConfig
from meterway.nnap.events import Code, Event
from meterway.nnap.site import Site
from meterway.store.vault import Vault

__all__ = ["collector_of", "receptions"]


def collector_of(config: NnapConfig, site: Site, vault: Vault, now: Callable[[], float]) -> Collector | None:
    """The collector of a site, for the site's parties and into its log; None if the settings have nothing to hear."""
    if config.hearing is None:
        return None

    def log(time_s: float, code: Code, serial: str, detail: str) -> None:
        site.concentrator.events.append(Event(time_s, code, serial, detail))

    return Collector(
        config.hearing,
        serial=site.serial,
        flag=site.flag,
        firmware=site.firmware,
        vault=vault,
        parties=tuple(
            Party(name=one.name, client=one.client, channels=None, rights=one.rights, sees_gateway=True)
            for one in site.parties
        ),
        secrets={one.name: one.secret for one in site.parties},
        now=now,
        shift=lambda: site.clock_offset_s,
        log=log,
    )


def receptions(
    config: NnapConfig, collector: Collector, unix: Callable[[], float]
) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
    """What is to run for each receiver, with the name of its setting."""
    for number, radio in enumerate(config.radios):
        taking = collector.places.taking(radio)
        yield f"radios[{number}]", stay_attached(radio, taking, place=number, serial=config.serial, clock=unix)
