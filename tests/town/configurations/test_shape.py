import pytest

from meterway.base.errors import ConfigError
from meterway.interfaces import Network
from meterway.town.configurations.shape import Carrier, Configuration, Kind, Link, NotApplicable, Part, UseCase

METER, HES = Part(name="meter", kind=Kind.ELECTRICITY), Part(name="hes", kind=Kind.HEAD_END, every=0)
WIDE = Link(near="meter", far="hes", network=Network.WIDE, carrier=Carrier.TCP)
CASES: dict[UseCase, str | NotApplicable] = dict.fromkeys(UseCase, "meter")


def configuration(**more: object) -> Configuration:
    given = {"label": "P0", "title": "t", "met_as": "m", "parts": (METER, HES), "links": (WIDE,), "cases": CASES}
    return Configuration(**{**given, **more})  # type: ignore[arg-type]


def test_the_letters_follow_from_the_ends_and_the_network() -> None:
    assert configuration().interfaces == ("I",)
    service = Link(near="meter", far="hes", network=None, carrier=Carrier.HDLC)
    assert configuration(links=(WIDE, service)).interfaces == ("I",)


def test_a_link_between_ends_that_no_interface_joins_is_refused() -> None:
    wrong = Link(near="meter", far="hes", network=Network.LOCAL, carrier=Carrier.TCP)
    with pytest.raises(ConfigError, match="no interface joins"):
        assert configuration(links=(wrong,)).interfaces


def test_what_is_named_must_be_there() -> None:
    with pytest.raises(ConfigError, match="gateway"):
        configuration(links=(Link(near="meter", far="gateway", network=Network.LOCAL, carrier=Carrier.RADIO),))
    with pytest.raises(ConfigError, match="no part valve"):
        configuration(cases={**CASES, UseCase.COMMAND: "valve"})
    with pytest.raises(ConfigError, match="no part valve"):
        configuration().part("valve")


def test_every_use_case_is_driven_or_has_a_reason_not_to_be() -> None:
    left_out = {case: "meter" for case in UseCase if case is not UseCase.CLOCK}
    with pytest.raises(ConfigError, match="every use case"):
        configuration(cases=left_out)
    configuration(cases={**left_out, UseCase.CLOCK: NotApplicable("it has none")})


def test_what_measures_is_counted() -> None:
    gas = Part(name="gas", kind=Kind.GAS)
    assert configuration(parts=(METER, gas, HES)).metering_points == 2
    assert Kind.HAND_HELD.entity is None
