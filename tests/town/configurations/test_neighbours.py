from meterway.town.configurations.catalogue import CONFIGURATIONS, configuration_of
from meterway.town.configurations.neighbours import FIRST, NEIGHBOURS
from meterway.town.configurations.plan import lay_out


def test_the_towns_neighbourhood_is_found_but_not_listed() -> None:
    assert configuration_of("neighbours") is NEIGHBOURS
    assert NEIGHBOURS.label not in CONFIGURATIONS
    assert set(NEIGHBOURS.interfaces) == {"C", "L", "N", "M", "G2", "H3"}


def test_its_serials_are_not_those_of_the_town() -> None:
    layout = lay_out(NEIGHBOURS, 12, first=FIRST)
    assert layout.premises == 12
    assert layout.named("meter")[0].serial == "M10001"
    serials = [thing.serial for thing in layout.things]
    assert len(set(serials)) == len(serials)
