"""Load controllers for tests, and a DLMS client that asks one of its objects without a network."""

from datetime import UTC, datetime

from meterway.home.api import HomeConfig, HomeKeys, LoadController, LoadKind, RelayConfig
from meterway.mapping.home import LoadOrder
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

EVENING = datetime(2026, 11, 23, 21, 0, tzinfo=UTC).timestamp()
GBEK, GBAK = bytes(range(32, 48)), bytes(range(48, 64))
HEAT_PUMP = RelayConfig(kind=LoadKind.HEAT_PUMP, rated_w=3000)
HEATER = RelayConfig(kind=LoadKind.WATER_HEATER, rated_w=2000)
CAR = RelayConfig(kind=LoadKind.EV_CHARGER, rated_w=7400)


def home_keys():
    keys = HomeKeys.random()
    keys.gbek, keys.gbak = GBEK, GBAK
    return keys


def home_config(serial="H0001", **changes):
    given = {"relays": (HEATER, CAR), "programme": "PEAK", "consent": True, "join_key": bytes(16)} | changes
    return HomeConfig(serial=serial, keys=home_keys(), **given)


def controller(now=EVENING, **changes):
    return LoadController(home_config(**changes), now)


def order(ident=1, **changes):
    return LoadOrder(ident=ident, **changes)


def value(logical, client, class_id, obis, attribute=2, now=EVENING):
    """The native form of an attribute, or the refusal."""
    answer = logical.get(client, AttributeDescriptor(class_id, obis, attribute), None, now)
    return axdr.native(axdr.decode_all(answer)) if isinstance(answer, bytes) else answer
