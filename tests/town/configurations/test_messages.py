import msgspec

from meterway.town.configurations.messages import Carried, FieldOrder, FieldReport, Happening, Told, Way


def test_messages_survive_the_pipe() -> None:
    way = Way("hes", "meter", "M1", "4d57590000000001", "electricity", "idis", 4059)
    carried = Carried("M", "meter – LNAP", 2, 3, 4)
    for message in (
        FieldOrder("P1", 3, "/tmp", "00" * 32, {"hes": 1}),
        FieldReport(ways=[way]),
        Happening("M1", "clock", 600.0),
        Told(facts={"energy": 1.0}, carried=[carried]),
    ):
        assert msgspec.json.decode(msgspec.json.encode(message), type=type(message)) == message


def test_a_look_is_what_happens_when_nothing_is_said() -> None:
    assert msgspec.json.decode(b"{}", type=Happening) == Happening("", "look", 0.0)
