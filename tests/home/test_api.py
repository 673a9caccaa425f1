from meterway.home import api, energy


def test_the_room_names_what_others_may_use() -> None:
    assert api.EnergyManager is energy.EnergyManager
