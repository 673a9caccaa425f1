import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import x25
from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.frame import HdlcFrame
from meterway.stacks.dlms.hdlc.stream import Deframer, Found


def frame(information: bytes = b"", control: int = 0x10) -> HdlcFrame:
    return HdlcFrame(
        destination=HdlcAddress(logical=16),
        source=HdlcAddress(logical=1, physical=17, size=2),
        control=control,
        information=information,
    )


ONE, TWO, THREE = frame(b"one"), frame(b"flags ~~ and ~\xa0 inside", 0x32), frame(control=0x31)


def frames_in(found: list[Found]) -> list[HdlcFrame]:
    return [item.frame for item in found if item.frame is not None]


def kinds_in(found: list[Found]) -> list[str]:
    return [item.error.kind for item in found if item.error is not None]


def both(octets: bytes) -> list[Found]:
    deframer = Deframer()
    return deframer.feed(octets) + deframer.flush()


def test_frames_that_share_a_flag_are_told_apart() -> None:
    found = both(ONE.encode() + TWO.encode()[1:] + THREE.encode()[1:])
    assert frames_in(found) == [ONE, TWO, THREE]
    assert kinds_in(found) == []
    assert [item.offset for item in found] == [1, len(ONE.encode()), len(ONE.encode() + TWO.encode()) - 1]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_frames_cut_anywhere_are_found(informations: list[bytes], data: st.DataObject) -> None:
    frames = [frame(information) for information in informations]
    octets = b"\x7e\x7e".join(item.encode() for item in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8)))
    deframer = Deframer()
    found = [
        item
        for start, stop in zip([0, *cuts], [*cuts, len(octets)], strict=True)
        for item in deframer.feed(octets[start:stop])
    ]
    assert frames_in(found) == frames
    assert kinds_in(found) == []
    assert not deframer.waiting


def test_noise_between_frames_is_reported_with_its_place() -> None:
    found = both(b"\x00noise" + ONE.encode() + b"more" + TWO.encode())
    assert frames_in(found) == [ONE, TWO]
    assert kinds_in(found) == ["noise", "format"]
    assert (found[0].offset, found[0].octets) == (0, b"\x00noise")
    assert (found[2].offset, found[2].octets) == (6 + len(ONE.encode()), b"more")


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize("place", range(1, len(TWO.encode()) - 1))
def test_a_damaged_frame_does_not_take_its_neighbours_with_it(place: int) -> None:
    broken = bytearray(TWO.encode())
    broken[place] ^= 0x04
    found = both(ONE.encode() + bytes(broken) + THREE.encode())
    assert frames_in(found) == [ONE, THREE]
    assert kinds_in(found)


def test_a_length_that_lies_is_found_out_by_the_header_check() -> None:
    broken = bytearray(ONE.encode())
    broken[1:3] = b"\xa7\xff"
    deframer = Deframer()
    found = deframer.feed(bytes(broken) + TWO.encode())
    assert frames_in(found) == [TWO]
    assert kinds_in(found)[0] == "hcs"


def test_a_frame_that_lost_octets_is_given_up_when_the_next_one_is_in() -> None:
    found = both(TWO.encode()[:12] + TWO.encode()[15:] + ONE.encode() + ONE.encode())
    assert ONE in frames_in(found)
    assert TWO not in frames_in(found)


def test_a_frame_that_stops_coming_is_cut_off_at_the_flush() -> None:
    deframer = Deframer()
    assert deframer.feed(ONE.encode()[:-4]) == []
    assert deframer.waiting
    (found,) = deframer.flush()
    assert kinds_in([found]) == ["truncated"]
    assert not deframer.waiting
    assert frames_in(deframer.feed(TWO.encode())) == [TWO]


def test_a_good_frame_without_its_closing_flag_is_taken_and_noticed() -> None:
    found = both(ONE.encode()[:-1])
    assert frames_in(found) == [ONE]
    assert kinds_in(found) == ["flag"]


def test_a_wrong_frame_check_names_its_place_in_the_stream() -> None:
    broken = ONE.encode()[:-2] + bytes([ONE.encode()[-2] ^ 1]) + b"\x7e"
    deframer = Deframer()
    deframer.feed(TWO.encode())
    (found,) = deframer.feed(broken)
    assert found.error is not None
    assert (found.error.kind, found.error.offset) == ("fcs", len(TWO.encode()) + len(broken) - 3)


@given(
    st.lists(st.one_of(st.binary(max_size=30), st.sampled_from((b"\x7e", b"\x7e\xa0", b"\x7e\xa7\xff", ONE.encode()))))
)
def test_every_octet_that_is_no_flag_is_accounted_for(chunks: list[bytes]) -> None:
    deframer = Deframer()
    found = [item for chunk in chunks for item in deframer.feed(chunk)] + deframer.flush()
    reported = b"".join(item.octets for item in found)
    assert reported.replace(b"\x7e", b"") == b"".join(chunks).replace(b"\x7e", b"")


@pytest.mark.covers("SEC-11")
def test_headers_that_all_promise_much_are_looked_at_once_each() -> None:
    head = bytes.fromhex("a7ff0321100000")
    liar = b"\x7e" + head[:5] + x25(head[:5]).to_bytes(2, "little") + b"!"
    found = both(liar * 2000)
    assert frames_in(found) == []
    assert len(found) <= 2000
