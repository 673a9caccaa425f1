"""The devices of the registry as the collector needs them: keys opened, counters at hand, layouts learnt."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError, SecurityError
from meterway.headend.layout import DeviceLayout
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import Framing, Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.store.database import Store
from meterway.store.devices import Device
from meterway.store.vault import Vault

__all__ = ["Entry", "Fleet"]

_RESERVE: Final = 10_000
_REFILL_BELOW: Final = 5000  # a session asks for thousands of blocks at most
_SENT, _RECEIVED = "sent", "received"
_PUBLIC: Final = 16
_MOST_BELIEVED: Final = 1 << 31
_HDLC_INFO: Final = 2030
_LONGEST_ANSWER: Final = 1 << 20


class Entry:
    """One device in memory. ``lock`` keeps its associations apart: a meter has one at a time."""

    __slots__ = (
        "_cipher",
        "_keys",
        "_lock",
        "_sealed",
        "_sent_end",
        "_settings",
        "device",
        "last_attempt_s",
        "layout",
        "received",
        "sent",
        "title",
    )

    def __init__(
        self, device: Device, keys: dict[str, bytes] | SecurityError, layout: DeviceLayout | None = None
    ) -> None:
        self.device = device
        self.title = device.system_title or b""
        """The system title it is registered with or showed last."""
        self._keys = {} if isinstance(keys, SecurityError) else keys
        self._sealed = keys if isinstance(keys, SecurityError) else None
        self._sent_end = 0
        self._cipher: Gcm12 | None = None
        self._lock: asyncio.Lock | None = None
        self.layout = layout
        self.last_attempt_s = 0.0
        self.sent: SendCounter | None = None
        self.received: ReceivedCounter | None = None
        self._settings: tuple[object, ClientSettings] | None = None

    @property
    def lock(self) -> asyncio.Lock:
        """Held while an association with the device is open."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock

    @property
    def has_keys(self) -> bool:
        """Whether the device's symmetric keys are known."""
        return "guek" in self._keys and "gak" in self._keys

    def keys(self) -> Keys:
        """The keys; SecurityError(key) if they are not in the registry or do not open."""
        if self._sealed is not None:
            raise self._sealed
        if not self.has_keys:
            raise SecurityError(f"the registry has no keys of {self.device.serial}", "key")
        return Keys(self._keys["guek"], self._keys["gak"])

    def secret(self) -> bytes:
        """The LLS or HLS secret; SecurityError(key) if it is not in the registry or does not open."""
        if self._sealed is not None:
            raise self._sealed
        if "secret" not in self._keys:
            raise SecurityError(f"the registry has no password of {self.device.serial}", "key")
        return self._keys["secret"]

    def cipher(self) -> Gcm12:
        """The block cipher under the encryption key, made once."""
        if self._cipher is None:
            self._cipher = Gcm12(self.keys().encryption)
        return self._cipher

    def settings(self, response_timeout_s: float, make: Callable[[Entry, float], ClientSettings]) -> ClientSettings:
        """How to associate: made once, and anew when the device or its counters are other ones."""
        basis = (self.device, self.sent, self.received, response_timeout_s)
        kept = self._settings
        if kept is not None and kept[0] == basis:
            return kept[1]
        settings = make(self, response_timeout_s)
        self._settings = (basis, settings)
        return settings

    def wants_counters(self, reserved_to: int) -> bool:
        """Whether to reserve counters anew: too few are left, or another process has taken higher ones since."""
        return self.sent is None or self.sent.left < _REFILL_BELOW or reserved_to != self._sent_end

    def take_counters(self, sent: range | None, received_next: int) -> None:
        """Go on with counters that are reserved on disk, and with what is known to be received."""
        if sent is not None:
            self.sent = SendCounter(sent.start, end=sent.stop)
            self._sent_end = sent.stop
        if self.received is None:
            self.received = ReceivedCounter(received_next - 1)
        else:
            self.received.last = max(self.received.last, received_next - 1)


class Fleet:
    """All entries by device id and by serial, loaded from the store when first asked for."""

    def __init__(self, store: Store, vault: Vault, *, system_title: bytes, client: int = 1) -> None:
        if len(system_title) != 8:
            raise ConfigError(f"the head end's system title has 8 octets, not {len(system_title)}")
        self._store = store
        self._vault = vault
        self._title = system_title
        self._client = client
        self._entries: dict[int, Entry] = {}
        self._serials: dict[str, int] = {}
        self._loading = threading.Lock()

    def of(self, device: int) -> Entry:
        """The entry of a device id; StoreError if there is none."""
        entry = self._entries.get(device)
        return self._load(self._store.devices.get(device)) if entry is None else entry

    def by_serial(self, serial: str) -> Entry:
        """The entry of a serial number; StoreError if there is none."""
        device = self._serials.get(serial)
        return self._load(self._store.devices.by_serial(serial)) if device is None else self.of(device)

    def forget(self, device: int) -> None:
        """Load the entry anew next time: its registry row or keys were changed."""
        entry = self._entries.pop(device, None)
        if entry is not None:
            self._serials.pop(entry.device.serial, None)

    def _load(self, device: Device) -> Entry:
        layout = self._layout(device.id)
        with self._loading:  # one entry a device, whichever thread asks first: it holds the counters
            entry = self._entries.get(device.id)
            if entry is None:
                entry = self._entries[device.id] = Entry(device, self._keys(device), layout)
                self._serials[device.serial] = device.id
            return entry

    def _keys(self, device: Device) -> dict[str, bytes] | SecurityError:
        try:
            return self._vault.open_all(device.serial, device.keys)
        except SecurityError as error:
            return error

    def _layout(self, device: int) -> DeviceLayout | None:
        kept = self._store.settings.get(f"layout:{device}")
        if not kept:
            return None
        try:
            return DeviceLayout.decode(kept)
        except ConfigError:
            return None

    # -- counters -----------------------------------------------------------------------------------------------------

    def prepare(self, entries: Iterable[Entry]) -> None:
        """Have counters at hand for all of them; none is used before its reservation is on disk."""
        each = tuple(dict.fromkeys(entries))
        with self._store.transaction():
            reserved = [(entry, *self._reserved(entry)) for entry in each]
        for entry, sent, received_next in reserved:
            entry.take_counters(sent, received_next)

    def _reserved(self, entry: Entry) -> tuple[range | None, int]:
        counters, device = self._store.counters, entry.device.id
        received_next = counters.next(device, _RECEIVED)
        if not entry.wants_counters(counters.next(device, _SENT)):
            return None, received_next
        start = 0 if entry.sent is None else entry.sent.next
        return counters.reserve(device, _SENT, _RESERVE, at_least=start), received_next

    def count_beyond(self, entry: Entry, seen: int) -> bool:
        """Go on above a counter that the device says it has seen; False if ours are above it already.

        What a device says without proof moves us up to the middle of the range only: nobody can use up our counters.
        """
        if entry.sent is None or not entry.sent.next <= seen < _MOST_BELIEVED:
            return False
        with self._store.transaction():
            sent = self._store.counters.reserve(entry.device.id, _SENT, _RESERVE, at_least=seen + 1)
        entry.take_counters(sent, 0)
        return True

    def received_counters(self, entries: Iterable[Entry]) -> dict[tuple[int, str], int]:
        """What is to be kept of the counters received, for ``Counters.note_many``; nothing of an entry forgotten."""
        return {
            (entry.device.id, _RECEIVED): entry.received.last + 1
            for entry in entries
            if entry.received is not None and self._entries.get(entry.device.id) is entry
        }

    # -- how a device is reached --------------------------------------------------------------------------------------

    def client(self, entry: Entry, *, response_timeout_s: float) -> DlmsClient:
        """A fresh client engine for one association with the device."""
        return DlmsClient(self._framing(entry.device), entry.settings(response_timeout_s, self._settings))

    def public_client(self, entry: Entry, *, response_timeout_s: float) -> DlmsClient:
        """A client engine without any key, as everybody may use it."""
        settings = ClientSettings(mechanism=0, response_timeout_s=response_timeout_s, max_response=_LONGEST_ANSWER)
        return DlmsClient(self._framing(entry.device, _PUBLIC), settings)

    def _framing(self, device: Device, client: int | None = None) -> Framing:
        if client is None:
            client = _number(device, "client", self._client)
        if device.transport == "hdlc":
            address = HdlcAddress(
                logical=device.sap,
                physical=_number(device, "physical", 17),
                size=_number(device, "address_size", 2),
            )
            return HdlcFraming(
                role=Role.CLIENT, client=client, server=address, max_info_tx=_HDLC_INFO, max_info_rx=_HDLC_INFO,
                window_tx=7, window_rx=7,
            )  # fmt: skip
        return WrapperFraming(client, device.sap, role=Role.CLIENT)

    def _settings(self, entry: Entry, response_timeout_s: float) -> ClientSettings:
        device = entry.device
        mechanism = _number(device, "mechanism", 5)
        if mechanism != 5:
            secret = entry.secret() if mechanism else b""
            return ClientSettings(
                mechanism=mechanism,
                secret=secret,
                system_title=self._title,
                response_timeout_s=response_timeout_s,
                max_response=_LONGEST_ANSWER,
            )
        return ClientSettings(
            mechanism=5,
            control=_number(device, "control", AUTHENTICATED | ENCRYPTED),
            keys=entry.keys(),
            cipher=entry.cipher(),
            system_title=self._title,
            server_title=device.system_title or b"",
            send_counter=entry.sent,
            received=entry.received,
            is_general=bool(device.flags.get("general", False)),
            response_timeout_s=response_timeout_s,
            max_response=_LONGEST_ANSWER,
        )


def _number(device: Device, flag: str, default: int) -> int:
    value = device.flags.get(flag, default)
    if isinstance(value, int):
        return value
    raise ConfigError(f"device {device.serial}: flag {flag} must be a whole number, not {value!r}")
