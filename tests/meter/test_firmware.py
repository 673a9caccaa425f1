"""An image is genuine if its digest is that of the rest."""

from hypothesis import given
from hypothesis import strategies as st

from meterway.meter.firmware import image_signature, signed_image


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_signed_image_is_genuine_until_any_octet_of_it_changes(content: bytes, data: st.DataObject) -> None:
    image = signed_image(content)
    assert image_signature(image) == image[-32:]
    place = data.draw(st.integers(0, len(image) - 1))
    assert image_signature(image[:place] + bytes((image[place] ^ 1,)) + image[place + 1 :]) is None


def test_a_digest_alone_is_no_image() -> None:
    assert image_signature(signed_image(b"")) is None
