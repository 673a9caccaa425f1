"""The devices of the registry as the collector needs them: keys opened, counters at hand, layouts learnt."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError, SecurityError
from meterway.headend.gateway_keys import keys_for
from meterway.headend.hearers import is_heard
from meterway.headend.layout import DeviceLayout
from meterway.headend.route import Route, Way, is_concentrator, route_of
from meterway.headend.unasked import UnaskedFraming
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import Framing, Role
from meterway.stacks.dlms.gateway import GatewayFraming
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter, counter_at
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, Device
from meterway.store.vault import Vault

__all__ = ["Entry", "Fleet"]

_RESERVE: Final = 10_000
_FOR_ONE: Final = 64
"""For one association, with a second try."""
_REFILL_BELOW: Final = 5000  # a session asks for thousands of blocks at most
_SENT, _RECEIVED, _MIRRORED = "sent", "received", ":mirror"
_PUBLIC: Final = 16
_MOST_BELIEVED: Final = 1 << 31
_HDLC_INFO: Final = 2030
_LONGEST_ANSWER: Final = 1 << 20


class Entry:
    """One device in memory, as it is reached one way. ``lock`` keeps its associations apart: one at a time.

    Its mirrored data at a concentrator is an entry of its own, with keys, counters and a layout of its own.
    """

    __slots__ = (
        "_cipher",
        "_keys",
        "_lock",
        "_sealed",
        "_sent_end",
        "_settings",
        "device",
        "layout",
        "received",
        "route",
        "sent",
        "title",
        "way",
    )

    def __init__(
        self,
        device: Device,
        keys: dict[str, bytes] | SecurityError,
        layout: DeviceLayout | None = None,
        way: Way = Way.DIRECT,
    ) -> None:
        self.device = device
        self.way = way
        self.route: Route | None = None
        """How it was reached last; looked up anew when counters are made ready. None: by its own address."""
        self.title = b"" if self.is_mirror else device.system_title or b""
        """The system title it is registered with or showed last."""
        self._keys = {} if isinstance(keys, SecurityError) else keys
        self._sealed = keys if isinstance(keys, SecurityError) else None
        self._sent_end = 0
        self._cipher: Gcm12 | None = None
        self._lock: asyncio.Lock | None = None
        self.layout = layout
        self.sent: SendCounter | None = None
        self.received: ReceivedCounter | None = None
        self._settings: tuple[object, ClientSettings] | None = None

    @property
    def is_mirror(self) -> bool:
        """Whether this is the device's mirrored data at its concentrator."""
        return self.way is Way.MIRROR

    @property
    def layout_name(self) -> str:
        """The setting that its layout is kept under."""
        return f"layout:{self.device.id}{_MIRRORED if self.is_mirror else ''}"

    @property
    def counter_names(self) -> tuple[str, str]:
        """The names of its counters: sent and received."""
        return (_SENT + _MIRRORED, _RECEIVED + _MIRRORED) if self.is_mirror else (_SENT, _RECEIVED)

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

    def complete(self, device: Device, keys: dict[str, bytes] | SecurityError) -> None:
        """Take the row and the keys of a device that had none before."""
        self.device = device
        self._keys = {} if isinstance(keys, SecurityError) else keys
        self._sealed = keys if isinstance(keys, SecurityError) else None
        self._cipher = self._settings = None

    @property
    def lacks_keys(self) -> bool:
        """Whether the registry had no keys at all when it was loaded."""
        return not self._keys and self._sealed is None

    def settings(self, response_timeout_s: float, make: Callable[[Entry, float], ClientSettings]) -> ClientSettings:
        """How to associate: made once, and anew when the device or its counters are other ones."""
        basis = (self.device, self.sent, self.received, response_timeout_s)
        kept = self._settings
        if kept is not None and kept[0] == basis:
            return kept[1]
        settings = make(self, response_timeout_s)
        self._settings = (basis, settings)
        return settings

    @property
    def unused(self) -> range:
        """The counters that are reserved and were not used."""
        return range(0) if self.sent is None else range(self.sent.next, self._sent_end)

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
    """All entries by device id and way, and by serial, loaded from the store when first asked for."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        *,
        system_title: bytes,
        client: int = 1,
        far_client: int | None = None,
        unix: Callable[[], float] = time.time,
    ) -> None:
        if len(system_title) != 8:
            raise ConfigError(f"the head end's system title has 8 octets, not {len(system_title)}")
        self._store = store
        self._vault = vault
        self._unix = unix
        self._title = system_title
        self._client = client
        self._far_client = client if far_client is None else far_client
        self.on_unasked: Callable[[bytes], None] = lambda _: None
        """Given what devices behind a concentrator say by themselves during a session with that."""
        self._entries: dict[tuple[int, Way], Entry] = {}
        self._serials: dict[str, int] = {}
        self._loading = threading.Lock()

    def of(self, device: int, way: Way = Way.DIRECT) -> Entry:
        """The entry of a device id; StoreError if there is none."""
        entry = self._entries.get((device, way))
        return self._load(self._store.devices.get(device), way) if entry is None else entry

    def _reached(self, device: int, way: Way) -> Way:
        """A meter that a concentrator only hears cannot be asked itself: all there is of it is mirrored."""
        return Way.MIRROR if is_heard(self._store.nodes.find(device)) else way

    def by_serial(self, serial: str, way: Way = Way.DIRECT) -> Entry:
        """The entry of a serial number; StoreError if there is none."""
        device = self._serials.get(serial)
        return self._load(self._store.devices.by_serial(serial), way) if device is None else self.of(device, way)

    def for_collection(self, device: int) -> Entry:
        """The entry that scheduled collection reads: the mirrored data of a device that has such."""
        node = self._store.nodes.find(device)
        return self.of(device, Way.MIRROR if node is not None and node.sap else Way.DIRECT)

    def forget(self, device: int) -> None:
        """Load the entries anew next time: the registry row or keys were changed."""
        for way in Way:
            entry = self._entries.pop((device, way), None)
            if entry is not None:
                self._serials.pop(entry.device.serial, None)

    def reload(self, device: int) -> None:
        """Take the registry row as it is now; keys and counters stay."""
        for way in Way:
            entry = self._entries.get((device, way))
            if entry is not None:
                entry.device = self._store.devices.get(device)

    def forget_mirror(self, device: int) -> None:
        """Begin anew with a device's mirrored data: it is another concentrator's now, or none's.

        What we have sent goes on counting: it may come back to the one before, and to the keys it had there.
        """
        self._entries.pop((device, Way.MIRROR), None)
        self._store.counters.begin_anew(device, _RECEIVED + _MIRRORED)
        self._store.settings.put(f"layout:{device}{_MIRRORED}", "")

    def _load(self, device: Device, way: Way) -> Entry:
        way = self._reached(device.id, way)
        kept = self._entries.get((device.id, way))
        if kept is not None:
            return kept
        fresh = Entry(device, self._keys(device, way), way=way)
        fresh.layout = self._layout(fresh.layout_name)
        with self._loading:  # one entry a device and way, whichever thread asks first: it holds the counters
            entry = self._entries.setdefault((device.id, way), fresh)
            self._serials[device.serial] = device.id
            return entry

    def _keys(self, device: Device, way: Way) -> dict[str, bytes] | SecurityError:
        try:
            if way is Way.DIRECT:
                return self._vault.open_all(device.serial, device.keys)
            node = self._store.nodes.find(device.id)
            if node is None:
                return {}
            nnap = self._store.devices.get(node.nnap)
            return keys_for(nnap, self._vault.open_all(nnap.serial, nnap.keys), device.serial)
        except SecurityError as error:
            return error

    def _layout(self, name: str) -> DeviceLayout | None:
        kept = self._store.settings.get(name)
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
            for entry in each:
                if entry.lacks_keys and not entry.is_mirror:  # they may have been imported since
                    device = self._store.devices.get(entry.device.id)
                    entry.complete(device, self._keys(device, entry.way))
            reserved = [(entry, *self._reserved(entry)) for entry in each]
            for entry in each:
                if entry.device.parent is not None or entry.is_mirror:
                    entry.route = self._route(entry)
        for entry, sent, received_next in reserved:
            entry.take_counters(sent, received_next)

    def give_back(self) -> int:
        """At the very end: let go of the counters that were reserved and not used; of how many devices."""
        given = 0
        with self._store.transaction():
            for entry in tuple(self._entries.values()):
                unused, entry.sent = entry.unused, None
                given += self._store.counters.give_back(entry.device.id, entry.counter_names[0], unused)
        return given

    def claimed(self, known: Entry, route: Route) -> Entry:
        """An entry of its own, with keys and counters, for one association over a route that is not proven."""
        device = known.device
        entry = Entry(device, self._keys(device, Way.DIRECT))
        entry.route = route
        sent, received = entry.counter_names
        reserved = self._store.counters.reserve(device.id, sent, _FOR_ONE, at_least=counter_at(self._unix()))
        entry.take_counters(reserved, self._store.counters.next(device.id, received))
        if known.received is not None:
            entry.received = known.received
        return entry

    def keep_received(self, entry: Entry) -> None:
        """Write what was heard of a device by an entry that is not the fleet's own."""
        if entry.received is not None:
            name = entry.counter_names[1]
            self._store.counters.note_many({(entry.device.id, name): entry.received.last + 1})

    def _route(self, entry: Entry) -> Route | None:
        """None where the registry makes no sense of it: the call then fails by the device's own address."""
        try:
            return route_of(self._store, entry.device, entry.way)
        except ConfigError:
            return None

    def _reserved(self, entry: Entry) -> tuple[range | None, int]:
        counters, device = self._store.counters, entry.device.id
        sent, received = entry.counter_names
        received_next = counters.next(device, received)
        if not entry.wants_counters(counters.next(device, sent)):
            return None, received_next
        start = counter_at(self._unix()) if entry.sent is None else entry.sent.next
        return counters.reserve(device, sent, _RESERVE, at_least=start), received_next

    def count_beyond(self, entry: Entry, seen: int) -> bool:
        """Go on above a counter that the device says it has seen; False if ours are above it already.

        What a device says without proof moves us up to the middle of the range only: nobody can use up our counters.
        """
        if entry.sent is None or not entry.sent.next <= seen < _MOST_BELIEVED:
            return False
        with self._store.transaction():
            name, _ = entry.counter_names
            sent = self._store.counters.reserve(entry.device.id, name, _RESERVE, at_least=seen + 1)
        entry.take_counters(sent, 0)
        return True

    def received_counters(self, entries: Iterable[Entry]) -> dict[tuple[int, str], int]:
        """What is to be kept of the counters received, for ``Counters.note_many``; nothing of an entry forgotten."""
        return {
            (entry.device.id, entry.counter_names[1]): entry.received.last + 1
            for entry in entries
            if entry.received is not None and self._entries.get((entry.device.id, entry.way)) is entry
        }

    # -- how a device is reached --------------------------------------------------------------------------------------

    def client(self, entry: Entry, *, response_timeout_s: float, is_managing: bool = False) -> DlmsClient:
        """A fresh client engine for one association with the device; ``is_managing`` if it is to change something."""
        client = self._client_for(entry, is_managing)
        return DlmsClient(self._framing(entry, client), entry.settings(response_timeout_s, self._settings))

    def public_client(self, entry: Entry, *, response_timeout_s: float) -> DlmsClient:
        """A client engine without any key, as everybody may use it."""
        settings = ClientSettings(mechanism=0, response_timeout_s=response_timeout_s, max_response=_LONGEST_ANSWER)
        return DlmsClient(self._framing(entry, _PUBLIC), settings)

    def _framing(self, entry: Entry, client: int) -> Framing:
        device, route = entry.device, entry.route
        if route is not None and (route.prefixes or entry.is_mirror):
            line: Framing = WrapperFraming(client, route.sap, role=Role.CLIENT)
            for hop in route.prefixes:
                line = GatewayFraming(line, hop)
            return UnaskedFraming(line, self.on_unasked)
        if entry.is_mirror:
            raise ConfigError(f"{device.serial} has no mirrored data at a concentrator")
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
        own = WrapperFraming(client, device.sap, role=Role.CLIENT)
        return UnaskedFraming(own, self.on_unasked) if is_concentrator(device.profile) else own

    def _client_for(self, entry: Entry, is_managing: bool) -> int:
        """The SAP its row names. A meter that a concentrator reads too keeps us apart from it by another one."""
        device, route = entry.device, entry.route
        is_shared = not entry.is_mirror and route is not None and route.links[-1].node is not None
        if is_shared and device.utility != GATEWAY and not is_managing:
            far = self._far_client if _lets_in(device.profile, self._far_client) else self._client
            return _number(device, "client", far)
        if entry.is_mirror and route is not None and len(route.links) > 1:
            return _number(route.links[-2].device, "client", self._client)
        return _number(device, "client", self._client)

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
            server_title=b"" if entry.is_mirror else device.system_title or b"",
            send_counter=entry.sent,
            received=entry.received,
            is_general=bool(device.flags.get("general", False)),
            response_timeout_s=response_timeout_s,
            max_response=_LONGEST_ANSWER,
        )


def _lets_in(profile: str, client: int) -> bool:
    """Whether devices of a profile have an association for a client; of one that is not known any may have."""
    try:
        return load_profile(profile or "idis").association(client) is not None
    except ConfigError:
        return True


def _number(device: Device, flag: str, default: int) -> int:
    value = device.flags.get(flag, default)
    if isinstance(value, int):
        return value
    raise ConfigError(f"device {device.serial}: flag {flag} must be a whole number, not {value!r}")
