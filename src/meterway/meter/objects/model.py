"""The object model of a kind of meter: every object of its companion profile, and who may do what with it."""

from __future__ import annotations

from functools import cache
from typing import Final

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.mapping.companion import Association, CompanionProfile, ProfileObject
from meterway.mapping.image_parity import IMAGE_PARITY
from meterway.mapping.profile import load_profile
from meterway.meter.device import Meter
from meterway.meter.gas import gas_litres
from meterway.meter.objects.clock import CLOCK, CLOCK_BEHAVIOUR
from meterway.meter.objects.control import CONTROLS, push_behaviour, schedule_behaviour, script_behaviour
from meterway.meter.objects.identity import PORTS, STATUS_WORDS, data_behaviour, status_map_behaviour
from meterway.meter.objects.image import PARITY
from meterway.meter.objects.mbus import (
    channel_of_status,
    channel_of_value,
    mbus_client_behaviour,
    mbus_value_behaviour,
    status_behaviour,
)
from meterway.meter.objects.profiles import Column, ProfileBehaviour
from meterway.meter.objects.registers import PLACES, energy_scale, register_behaviour
from meterway.meter.objects.table import Ask, Behaviour, Call, CosemObject, Live, encoded_octets
from meterway.meter.objects.tariffs import activate_calendar, activation_behaviour
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data, Tag
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from meterway.stacks.dlms.security.hls import HLS5, LLS, LOWEST
from meterway.stacks.dlms.xdlms.results import ActionResult

__all__ = ["MECHANISMS", "Model", "model_of"]

MECHANISMS: Final = {"none": LOWEST, "lls": LLS, "hls3": 3, "hls4": 4, "hls5": HLS5, "hls6": 6}
"""The authentications that virtual meters do, by the profile's word."""
_ASSOCIATION: Final = 15
_PROFILE: Final = 7
_SECRET: Final = 7
_U32: Final = int(Tag.DOUBLE_LONG_UNSIGNED)


class Model:
    """The objects of one companion profile, shared by all its meters. ConfigError for what no virtual meter does."""

    def __init__(self, profile: CompanionProfile) -> None:
        self.profile = profile
        self.associations = {
            entry.client: entry for entry in profile.associations if _usable(profile, entry) and entry.server == 1
        }
        self.broadcasts = {
            entry.client: entry for entry in profile.associations if entry.pre_established and entry.server == 1
        }
        """Pre-established associations: what comes in them is a broadcast, protected by the broadcast key."""
        self.objects: dict[tuple[int, Obis], CosemObject] = {}
        """By class and logical name, in the order of the object list."""
        for item in profile.objects.values():
            self.objects[item.class_id, item.obis] = CosemObject(item, self._behaviour(item))
        for item in profile.objects.values():
            if item.class_id == _PROFILE:  # they capture attributes of the others
                self.objects[_PROFILE, item.obis] = CosemObject(item, self._profile(item))
        self.classes: dict[Obis, int] = {obis: class_id for class_id, obis in self.objects}
        self._lists: dict[int, bytes] = {}

    # -- what the meter does for an object -----------------------------------------------------------

    def _behaviour(self, item: ProfileObject) -> Behaviour:
        obis = item.obis
        match item.class_id:
            case 1 if obis == IMAGE_PARITY:
                return PARITY
            case 1:
                return status_behaviour() if channel_of_status(obis) else data_behaviour(item, self.profile)
            case 3 | 4 | 5:
                channel = channel_of_value(obis) if item.class_id == 4 else None
                return register_behaviour(item) if channel is None else mbus_value_behaviour(item, channel)
            case 6:
                return activation_behaviour(self.profile.objects)
            case 8:
                return CLOCK_BEHAVIOUR if obis == CLOCK else Behaviour()
            case 9:
                return script_behaviour(obis)
            case 15:
                return self._association()
            case 20:
                return CONTROLS[20]._replace(methods={1: self._activate_calendar(obis)})
            case 22:
                return schedule_behaviour(obis)
            case 40:
                return push_behaviour(obis)
            case 63:
                return status_map_behaviour(item)
            case 72:
                return mbus_client_behaviour(item)
            case _:
                return CONTROLS.get(item.class_id) or PORTS.get(item.class_id) or Behaviour()

    def _activate_calendar(self, obis: Obis) -> Call:
        def activate(meter: Meter, parameter: Data, now: float) -> ActionResult:
            return activate_calendar(self.objects[20, obis], meter, now)

        return activate

    def _profile(self, item: ProfileObject) -> Behaviour:
        columns = tuple(self._column(item, captured) for captured in item.capture_objects)
        return ProfileBehaviour(item, columns).behaviour

    def _column(self, profile: ProfileObject, captured: CaptureObject) -> Column:
        """How a captured attribute is measured; ConfigError if it is not."""
        if captured == CLOCK_TIME:
            return Column(int(Tag.OCTET_STRING))
        fast = self._fast(profile, captured)
        if fast is not None:
            return fast
        thing = self.objects.get((captured.class_id, captured.obis))
        found = None if thing is None else thing.attributes.get(captured.attribute)
        if thing is None or found is None or captured.data_index:
            raise ConfigError(
                f"profile {self.profile.name}: {profile.name} captures {captured.obis} attribute {captured.attribute}, "
                "which a virtual meter does not measure"
            )
        return Column(0, read=found.read)

    def _fast(self, profile: ProfileObject, captured: CaptureObject) -> Column | None:
        """The column as numbers of all rows at once, for what is captured by most."""
        obis = captured.obis
        if captured.attribute != 2:
            return None
        place = PLACES.get(obis) if captured.class_id == 3 else None
        if place is not None:
            up, down = energy_scale(self.profile.object(obis))
            rates = place >= 4
            if up == down:
                return Column(_U32, lambda _, rows: rows.values[:, place], rates=rates)
            return Column(_U32, lambda _, rows: rows.values[:, place] * up // down, rates=rates)
        if captured.class_id == 1 and profile.log and obis.d == 11:
            return Column(int(Tag.UNSIGNED), lambda _, rows: rows.values[:, 0])
        if captured.class_id == 1 and obis in STATUS_WORDS:
            return Column(int(Tag.UNSIGNED), lambda _, rows: rows.status)
        channel = channel_of_value(obis) if captured.class_id == 4 else None
        if channel is not None:
            return Column(_U32, lambda meter, rows: gas_litres(meter.load, channel, rows.times_s))
        return None

    # -- associations --------------------------------------------------------------------------------

    def _association(self) -> Behaviour:
        return Behaviour(
            live={
                2: Live(lambda ask: self.object_list(ask.client)),
                3: Live(lambda ask: b"\x02\x02\x0f" + bytes((ask.client & 0xFF,)) + b"\x12\x00\x01"),
                4: Live(lambda ask: _arc(1, 3 if self._mechanism(ask) == HLS5 else 1)),
                6: Live(lambda ask: _arc(2, self._mechanism(ask))),
            },
            factory={
                5: axdr.structure(
                    axdr.bits("000000000001111000011101"),
                    axdr.u16(0xFFFF),
                    axdr.u16(0xFFFF),
                    axdr.u8(6),
                    axdr.i8(0),
                    axdr.octets(b""),
                ),
                8: axdr.enum(2),
                9: axdr.octets(Obis(0, 0, 43, 0, 0).encode()),
            },
        )

    def _mechanism(self, ask: Ask) -> int:
        found = self.associations.get(ask.client)
        return LOWEST if found is None else MECHANISMS[found.authentication]

    def shows(self, client: int, obis: Obis) -> bool:
        """Whether the object is in the list of a client."""
        found = self.associations.get(client) or self.broadcasts.get(client)
        return found is not None and found.shows(obis)

    def may_configure(self, client: int) -> bool:
        """Whether a client may set attributes and call methods at all."""
        found = self.associations.get(client) or self.broadcasts.get(client)
        return found is not None and found.configure

    def object_list(self, client: int) -> bytes:
        """The objects a client sees with its rights, encoded."""
        known = self._lists.get(client)
        if known is None:
            shown = [thing for thing in self.objects.values() if self.shows(client, thing.obis)]
            known = self._lists[client] = axdr.encode(axdr.array(*[self._listed(client, thing) for thing in shown]))
        return known

    def _listed(self, client: int, thing: CosemObject) -> Data:
        configures = self.may_configure(client)
        attributes = [
            axdr.structure(axdr.i8(number), axdr.enum(_mode(thing, number, configures)), _selectors(thing, number))
            for number in (entry.index for entry in thing.table.attributes)
        ]
        methods = [axdr.structure(axdr.i8(number), axdr.enum(int(configures))) for number in sorted(thing.methods)]
        rights = axdr.structure(axdr.array(*attributes), axdr.array(*methods))
        return axdr.structure(
            axdr.u16(thing.class_id), axdr.u8(thing.version), axdr.octets(thing.obis.encode()), rights
        )


def _usable(profile: CompanionProfile, entry: Association) -> bool:
    """A pre-established association has no AARQ: it is for pushes and broadcasts, not for a client that comes in."""
    if entry.authentication not in MECHANISMS:
        raise ConfigError(
            f"profile {profile.name}, association {entry.name}: a virtual meter does no {entry.authentication}"
        )
    return not entry.pre_established


def _mode(thing: CosemObject, number: int, configures: bool) -> int:
    found = thing.attributes.get(number)
    return 0 if found is None else 1 | 2 * int(configures and found.writable)


def _selectors(thing: CosemObject, number: int) -> Data:
    return axdr.array(axdr.i8(1), axdr.i8(2)) if thing.class_id == _PROFILE and number == 2 else axdr.null()


def _arc(kind: int, number: int) -> bytes:
    """An object identifier of DLMS UA in its short octet form."""
    return encoded_octets(b"\x60\x85\x74\x05\x08" + bytes((kind, number)))


@cache
def model_of(country: str) -> Model:
    """The one model that all meters of a companion profile (a name, or a path to a TOML file) share."""
    return Model(load_profile(country))
