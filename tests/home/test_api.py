from home_loads import CAR, EVENING, HEATER, controller, order
from meterway.home import api, energy


def test_the_room_names_what_others_may_use() -> None:
    assert api.EnergyManager is energy.EnergyManager
    assert all(hasattr(api, name) for name in api.__all__)


def test_relays_are_shown_with_what_they_do() -> None:
    device = controller(relays=(HEATER, CAR), offset_s=0)
    device.order(order(relays=2, duration_s=3600), EVENING)
    first, second = api.relays(device, EVENING + 60)
    assert (first.relay, first.kind, first.on, first.cause) == (1, "water heater", True, "nothing")
    assert (second.relay, second.kind, second.on, second.cause) == (2, "ev charger", False, "order")
    assert (second.power_w, second.energy_wh) == (0, 0)
