"""A gateway's place on the air, as its settings say: a real receiver, or a station on the simulated air."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from meterway.base.errors import ConfigError, LinkError
from meterway.interfaces.mbus.settings import RadioConfig
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.radio import RadioPort
from meterway.links.receivers.port import ReceiverPort, open_serial_receiver, open_tcp_receiver
from meterway.links.receivers.streams import open_file_receiver, open_program_receiver

__all__ = ["open_receiver", "stay_attached"]

_LOG: Final = logging.getLogger(__name__)

Attach = Callable[[RadioPort], Callable[[], object]]
"""Takes a place on the air and says how to leave it."""


async def open_receiver(
    radio: RadioConfig, *, on_lost: Callable[[str], None], clock: Callable[[], float]
) -> ReceiverPort:
    """The line to a real receiver; LinkError if it is not there, ConfigError for a setting it does not take."""
    codec = radio.codec()
    if radio.serial:
        return await open_serial_receiver(codec, radio.serial, baud=radio.speed, on_lost=on_lost, clock=clock)
    if radio.file:
        return await open_file_receiver(codec, radio.file, on_lost=on_lost, clock=clock)
    if radio.program:
        return await open_program_receiver(codec, radio.program, on_lost=on_lost, clock=clock)
    return await open_tcp_receiver(codec, radio.port, radio.host, on_lost=on_lost, clock=clock)


async def _open(
    radio: RadioConfig, name: str, ended: Callable[[str], None], clock: Callable[[], float]
) -> tuple[RadioPort, Callable[[], object]]:
    """A place on the air and how to let go of the line to it."""
    if radio.receiver != "simulated":
        port = await open_receiver(radio, on_lost=ended, clock=clock)
        return port, port.close
    client = RadioClient(lambda error: ended(str(error or "closed")))
    await client.connect(radio.port, radio.host)
    return client.join(Station(name=name, place=radio.place, hears=frozenset(radio.hears))), client.close


async def stay_attached(
    radio: RadioConfig, attach: Attach, *, place: int, serial: str, clock: Callable[[], float]
) -> None:
    """Be on the air until cancelled, again whenever the line comes back.

    ``place`` is that of the radio in the settings, which messages name; ``serial`` is the gateway's.
    """
    setting = f"radios[{place}]"
    while True:
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def ended(why: str, lost: asyncio.Future[str] = lost) -> None:
            if not lost.done():
                lost.set_result(why)

        try:
            port, close = await _open(radio, radio.station or f"{serial}-{place}", ended, clock)
        except (LinkError, ConfigError) as error:
            _LOG.warning("%s: %s", setting, error)
        else:
            leave = attach(port)
            try:
                _LOG.warning("%s: %s: %s", setting, radio.way, await lost)
            finally:
                leave()
                close()
        await asyncio.sleep(radio.retry_s)
