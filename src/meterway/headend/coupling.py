"""What becomes due, and what is told, when a device comes behind a gateway or concentrator or leaves it."""

from __future__ import annotations

from typing import Final

from meterway.store.database import Store
from meterway.store.devices import Device
from meterway.store.events import Event
from meterway.store.tasks import NewTask

__all__ = ["CLAIMED", "COUPLED", "DECOUPLED", "FREE", "KIND", "LOG", "MOVED", "Coupling"]

LOG: Final = "topology"
"""The log of the events that tell of couplings; their detail is the sentence."""
COUPLED, DECOUPLED, MOVED, CLAIMED, KIND = 1, 2, 3, 4, 5
FREE: Final = "decoupled"
"""The state of a device that is behind nobody."""


class Coupling:
    """Tasks and events of couplings; called in the thread that writes, within its transaction.

    ``released`` has the devices that were decoupled while this runs: a session with one that ends later makes nothing
    due.
    """

    def __init__(self, store: Store, released: set[int]) -> None:
        self._store = store
        self.released = released

    def begin(self, device: Device, now_ms: int) -> None:
        """It is to be asked now, whatever was due before."""
        self._cancel(device, now_ms)
        self.released.discard(device.id)
        self._store.tasks.add_many([NewTask(device=device.id, kind="collect", due_ms=now_ms)], now_ms=now_ms)

    def end(self, device: Device, now_ms: int) -> None:
        """Nobody asks it any more."""
        self._cancel(device, now_ms)
        self.released.add(device.id)

    def tell(self, device: Device, code: int, text: str, now_ms: int) -> str:
        """Log it; the sentence."""
        event = Event(
            device=device.id, log=LOG, code=code, time_ms=now_ms, received_ms=now_ms, source="head end", detail=text
        )
        self._store.events.add_many([event])
        return f"{device.serial} {text}"

    def _cancel(self, device: Device, now_ms: int) -> None:
        for task in self._store.tasks.of_device(device.id):
            if task.state == "due":
                self._store.tasks.cancel(task.id, now_ms=now_ms)
