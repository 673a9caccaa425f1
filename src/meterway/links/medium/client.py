"""A process's way to the radio hub: one connection, any number of stations on the air."""

from __future__ import annotations

from collections.abc import Callable

from meterway.base.errors import LinkError
from meterway.links.medium.air import Station
from meterway.links.medium.hubs import HubClient
from meterway.links.medium.wire import (
    Figures,
    Gone,
    Heard,
    Join,
    Leave,
    Message,
    Refused,
    Send,
    Watch,
    WireEngine,
)
from meterway.links.radio import OnReception, Reception

__all__ = ["ClientPort", "RadioClient"]


class ClientPort:
    """One station's place on the air of a hub. A reception's time is the end of the frame.

    A frame sent from within ``on_reception`` goes out ``delay_s`` after that very frame's end, however long the sockets
    took. ``refused`` counts what the hub did not send because the share of the band was used up.
    """

    __slots__ = ("_client", "_number", "_on_reception", "refused", "station")

    def __init__(self, client: RadioClient, number: int, station: Station) -> None:
        self.station = station
        self.refused = 0
        self._client: RadioClient | None = client
        self._number = number
        self._on_reception: OnReception | None = None

    def listen(self, on_reception: OnReception) -> None:
        """Hand every frame heard from now on to ``on_reception``."""
        self._on_reception = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        """Send one frame after ``delay_s``; LinkError after ``close`` or when the hub is gone."""
        if self._client is None:
            raise LinkError(f"{self.station.name} is off the air")
        self._client.send(self._number, octets, mode, delay_s)

    def close(self) -> None:
        """Hear and send no more."""
        client, self._client, self._on_reception = self._client, None, None
        if client is not None:
            client.part(self._number)

    def hear(self, reception: Reception) -> None:
        """Take a frame from the air."""
        if self._on_reception is not None:
            self._on_reception(reception)


class RadioClient(HubClient[Message]):
    """A connection to a radio hub. ``on_lost`` hears once that it ended; ``problems`` are the hub's refusals in words.

    With ``watch`` the hub's ``Gone`` and ``Figures`` come to the given callbacks.
    """

    name = "radio hub"

    def __init__(self, on_lost: Callable[[str], None] | None = None) -> None:
        super().__init__(WireEngine(), on_lost)
        self._ports: dict[int, ClientPort] = {}
        self._count = 0
        self._since: float | None = None
        self._on_gone: Callable[[Gone], None] | None = None
        self._on_figures: Callable[[Figures], None] | None = None

    def join(self, station: Station) -> ClientPort:
        """Put a station on the air. A name that is taken shows in ``problems``, as the hub says so later."""
        self._count += 1
        number = self._count
        port = self._ports[number] = ClientPort(self, number, station)
        self._tell(
            Join(
                number,
                station.name,
                tuple(sorted(station.hears)),
                station.place,
                station.power_dbm,
                station.loss_db,
            )
        )
        return port

    def part(self, number: int) -> None:
        """Take a station off the air (``port.close`` does so)."""
        if self._ports.pop(number, None) is not None and self.connected:
            self._tell(Leave(number))

    def send(self, number: int, octets: bytes, mode: str, delay_s: float) -> None:
        """Send for a station (``port.send`` does so)."""
        self._tell(Send(number, mode, octets, delay_s, self._since))

    def watch(self, on_gone: Callable[[Gone], None] | None, on_figures: Callable[[Figures], None]) -> None:
        """Be told the figures once now, and of every frame on the air if ``on_gone`` is given."""
        self._on_gone, self._on_figures = on_gone, on_figures
        self._tell(Watch(on_gone is not None))

    def _told(self, message: Message) -> bool:
        match message:
            case Heard():
                self._heard(message)
            case Refused():
                self._refused(message)
            case Gone():
                if self._on_gone is not None:
                    self._on_gone(message)
            case Figures():
                if self._on_figures is not None:
                    self._on_figures(message)
            case _:
                return False
        return True

    def _refused(self, message: Refused) -> None:
        port = self._ports.get(message.number)
        if message.duty and port is not None:
            port.refused += 1
        else:
            name = port.station.name if port is not None else f"station {message.number}"
            self._problem(f"{name}: {message.reason}")

    def _heard(self, message: Heard) -> None:
        self._since = None if message.repeat else message.time_s
        try:
            for number, signal in message.stations:
                port = self._ports.get(number)
                if port is not None:
                    port.hear(
                        Reception(
                            octets=message.octets,
                            mode=message.mode,
                            time_s=message.time_s,
                            rssi_dbm=signal,
                            simulated=True,
                        )
                    )
        finally:
            self._since = None
