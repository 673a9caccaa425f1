"""Firmware of the gateway over image transfer: signed, on the disk block by block, staged, and its end is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnap_firmware import MAKER, made, pem, permit
from lnap_objects import Bench
from lnap_town import RadioMeter
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.firmware import maker_key
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
from meterway.stacks.dlms.xdlms.results import ActionResult

IMAGE = "0-0:44.0.0"
OK = ActionResult.SUCCESS


def with_maker(tmp_path: Path) -> tuple[Bench, list[tuple[str, bytes]]]:
    bench = Bench(tmp_path, RadioMeter())
    staged: list[tuple[str, bytes]] = []
    bench.site.maker = maker_key(pem(MAKER), field="maker")
    bench.site.stage = lambda name, content: staged.append((name, content))
    return bench, staged


def transfer(bench: Bench, image: bytes, name: bytes = b"V2", *, blocks: range | None = None) -> None:
    begin = axdr.structure(axdr.octets(name), axdr.u32(len(image)))
    assert bench.act(0, 18, IMAGE, 1, begin) is OK
    send(bench, image, blocks or range(-(-len(image) // 512)))


def send(bench: Bench, image: bytes, blocks: range) -> None:
    for number in blocks:
        block = axdr.structure(axdr.u32(number), axdr.octets(image[number * 512 : number * 512 + 512]))
        assert bench.act(0, 18, IMAGE, 2, block) is OK


@pytest.mark.covers("UC-IN-05")
def test_a_signed_image_is_verified_and_staged(tmp_path: Path) -> None:
    bench, staged = with_maker(tmp_path)
    image = made(b"V2", b"content" * 300)
    transfer(bench, image)
    assert bench.act(0, 18, IMAGE, 3) is OK
    assert bench.get(0, 18, IMAGE, 6) == 3
    assert bench.act(0, 18, IMAGE, 4) is ActionResult.TEMPORARY_FAILURE
    assert staged == [("V2", b"content" * 300)]
    assert bench.get(0, 18, IMAGE, 6) == 5
    begin = axdr.structure(axdr.octets(b"V3"), axdr.u32(10))
    assert bench.act(0, 18, IMAGE, 1, begin) is ActionResult.TEMPORARY_FAILURE
    assert bench.book.images.restore(0, ImageTransfer(enabled=True)).identifier == b""
    bench.close()


@pytest.mark.covers("UC-IN-05", "SEC-05")
def test_an_image_that_is_not_the_makers_is_refused_and_why_is_logged(tmp_path: Path) -> None:
    bench, staged = with_maker(tmp_path)
    for image, name, reason in (
        (made(b"V2", b"x")[:-1] + b"\0", b"V2", "the signature is not the maker's"),
        (made(b"V2", b"x"), b"V9", "not what was announced"),
    ):
        transfer(bench, image, name)
        assert bench.act(0, 18, IMAGE, 3) is ActionResult.OTHER_REASON
        assert bench.act(0, 18, IMAGE, 4) is ActionResult.OTHER_REASON
        assert bench.get(0, 18, IMAGE, 6) == 4
        event = bench.book.events(0, 0, 1e12)[-1]
        assert event.code is Code.FIRMWARE_REFUSED
        assert reason in event.detail
    assert staged == []
    bench.close()


@pytest.mark.covers("UC-IN-05", "SEC-08")
def test_older_firmware_is_taken_with_a_permit_only(tmp_path: Path) -> None:
    bench, staged = with_maker(tmp_path)
    bench.site.proven = "V3"
    old = made(b"V2", b"old")
    transfer(bench, old)
    assert bench.act(0, 18, IMAGE, 3) is ActionResult.OTHER_REASON
    assert bench.act(0, 18, IMAGE, 4) is ActionResult.OTHER_REASON
    assert "V2 is older than V3" in bench.book.events(0, 0, 1e12)[-1].detail
    wrong, right = (permit(one, b"V2", 2_000_000_000) for one in (b"other", bench.site.serial.encode()))
    assert bench.set(0, 1, "0-0:128.9.0", 2, axdr.octets(wrong)) == "read-write-denied"
    assert bench.set(0, 1, "0-0:128.9.0", 2, axdr.octets(right)) == "success"
    transfer(bench, old)
    assert bench.act(0, 18, IMAGE, 4) is ActionResult.TEMPORARY_FAILURE
    assert [name for name, _ in staged] == ["V2"]
    assert bench.site.permitted == b"", "once"
    bench.close()


@pytest.mark.covers("UC-IN-05", "E-LNAP")
def test_a_transfer_goes_on_after_a_power_cut(tmp_path: Path) -> None:
    bench, staged = with_maker(tmp_path)
    image = made(b"V2", b"content" * 300)
    transfer(bench, image, blocks=range(2))
    bench.book.spool.close()  # without an end in order
    again, staged = with_maker(tmp_path)
    again.site.restore()
    assert again.get(0, 18, IMAGE, 4) == 2
    send(again, image, range(2, -(-len(image) // 512)))
    assert again.act(0, 18, IMAGE, 4) is ActionResult.TEMPORARY_FAILURE
    assert [name for name, _ in staged] == ["V2"]
    again.close()


@pytest.mark.covers("UC-IN-05", "IF-G1")
def test_a_meters_image_is_held_and_its_way_down_can_be_followed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RadioMeter())
    image = b"meter firmware" * 100
    begin = axdr.structure(axdr.octets(b"GAS-2"), axdr.u32(len(image)))
    assert bench.act(1, 18, IMAGE, 4) is ActionResult.OTHER_REASON
    assert bench.act(1, 18, IMAGE, 1, begin) is OK
    for number in range(3):
        block = axdr.structure(axdr.u32(number), axdr.octets(image[number * 512 : number * 512 + 512]))
        assert bench.act(1, 18, IMAGE, 2, block) is OK
    assert bench.act(1, 18, IMAGE, 3) is OK
    assert bench.act(1, 18, IMAGE, 4) is ActionResult.TEMPORARY_FAILURE
    name, step, blocks, missing, told = bench.get(1, 1, "0-0:128.8.0")  # type: ignore[misc]
    assert (name, step, blocks, missing, told) == (b"GAS-2", b"prepare", 11, 11, b"")
    bench.book.spool.close()
    again = Bench(tmp_path, RadioMeter())
    assert again.book.gateway.delivery(1).is_under_way
    assert again.book.gateway.delivery(1).transfer.status == 5
    again.close()
