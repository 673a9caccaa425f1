"""EAX against the vectors of its paper (Bellare, Rogaway, Wagner, appendix G)."""

import pytest

from meterway.base.errors import SecurityError
from meterway.stacks.neighbourhood.eap_psk.eax import eax_open, eax_seal

# Header, plain, cipher, tag, key, nonce.
VECTORS = [
    "6bfb914fd07eae6b/// e037830e8389f27b025a2d6527e79d01/233952dee4d5ed5f9b9c6d6ff80ff478"
    "/62ec67f9c3a4a407fcb2a8c49031a8b3",
    "fa3bfd4806eb53fa/f7fb/19dd/5c4c9331049d0bdab0277408f67967e5/91945d3f4dcbee0bf45ef52255f095a4"
    "/becaf043b0a23d843194ba972c66debd",
    "234a3463c1264ac6/1a47cb4933/d851d5bae0/3a59f238a23e39199dc9266626c40f80/01f74ad64077f2e704c0f60ada3dd523"
    "/70c3db4f0d26368400a10ed05d2bff5e",
    "33cce2eabff5a79d/481c9e39b1/632a9d131a/d4c168a4225d8e1ff755939974a7bede/d07cf6cbb7f313bdde66b727afd3c5e8"
    "/8408dfff3c1a2b1292dc199e46b7d617",
    "aeb96eaebe2970e9/40d0c07da5e4/071dfe16c675/cb0677e536f73afe6a14b74ee49844dd/35b6d0580005bbc12b0587124557d2c2"
    "/fdb6b06676eedc5c61d74276e1f8e816",
    "d4482d1ca78dce0f/4de3b35c3fc039245bd1fb7d/835bb4f15d743e350e728414/abb8644fd6ccb86947c5e10590210a4f"
    "/bd8e6e11475e60b268784c38c62feb22/6eac5c93072d8e8513f750935e46da1b",
    "126735fcc320d25a/ca40d7446e545ffaed3bd12a740a659ffbbb3ceab7/cb8920f87a6c75cff39627b56e3ed197c552d295a7"
    "/cfc46afc253b4652b1af3795b124ab6e/8395fcf1e95bebd697bd010bc766aac3/22e7add93cfc6393c57ec0b3c17d6b44",
]


@pytest.mark.covers("SEC-04")
@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_the_paper(vector):
    header, plain, sealed, tag, key, nonce = map(bytes.fromhex, vector.split("/"))
    assert eax_seal(key, nonce, header, plain) == (sealed, tag)
    assert eax_open(key, nonce, header, sealed, tag) == plain
    for changed in (
        (nonce, header + b"x", sealed, tag),
        (nonce, header, sealed, bytes(16)),
        (key, header, sealed, tag),
    ):
        with pytest.raises(SecurityError):
            eax_open(key, *changed)
