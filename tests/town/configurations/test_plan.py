import pytest

from meterway.base.errors import ConfigError
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.plan import MAX_PREMISES, lay_out, party_secret, secret_of
from meterway.town.configurations.shape import Carrier, Kind


def test_there_are_as_many_premises_as_the_meters_need() -> None:
    assert lay_out(configuration_of("P1"), 5).premises == 5
    assert lay_out(configuration_of("P3"), 5).premises == 2
    with pytest.raises(ConfigError, match="not 0"):
        lay_out(configuration_of("P1"), 0)
    with pytest.raises(ConfigError, match=str(MAX_PREMISES)):
        lay_out(configuration_of("P1"), MAX_PREMISES + 1)


def test_every_thing_has_a_serial_of_its_own() -> None:
    for label in ("P3", "P11", "P12", "P15"):
        serials = [thing.serial for thing in lay_out(configuration_of(label), 12).things]
        assert len(set(serials)) == len(serials)


def test_premises_that_share_a_gateway_are_joined_to_it() -> None:
    layout = lay_out(configuration_of("P11"), 8)
    assert layout.premises == 4
    (link,) = layout.links(Carrier.RADIO)
    joined = {near.serial[-1]: far.serial for near, far in layout.joined(link)}
    assert joined == {"1": "LNAP0001", "2": "LNAP0001", "3": "LNAP0001", "4": "LNAP0002"}
    assert [thing.part.name for thing in layout.of(Kind.HEAD_END)] == ["head end"]


def test_secrets_differ_by_purpose_thing_and_town() -> None:
    drawn = [
        secret_of(bytes(32), "meter", "1"),
        secret_of(bytes(32), "meter", "2"),
        secret_of(b"x" * 32, "meter", "1"),
        party_secret(bytes(32), "1", "operator"),
        party_secret(bytes(32), "1", "supplier"),
    ]
    assert len(set(drawn)) == len(drawn)
    assert all(len(one) == 32 for one in drawn)
