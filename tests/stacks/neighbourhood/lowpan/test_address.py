from meterway.stacks.neighbourhood.lowpan.address import LinkLocal, link_local, short_iid


def test_the_addresses_of_short_and_extended_ones():
    assert link_local(0x1234).hex() == "fe80000000000000000000fffe001234"
    assert link_local(bytes.fromhex("acde480000000001")).hex() == "fe80000000000000aede480000000001"
    assert short_iid(9, 0x781D).hex() == "781d00fffe000009"


def test_the_universal_bit_of_a_pan_id_is_zero():
    assert LinkLocal(0xFFFF).iid(1).hex() == "fdff00fffe000001"
    assert LinkLocal(0x781D).middle().hex() == "781d00fffe00"
    assert LinkLocal(0x781D).address(1).hex() == "fe80000000000000781d00fffe000001"
