import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.lowpan.dispatch import Headers, MeshHeader, command, is_mesh

ADDRESS = st.integers(0, 0xFFFF) | st.binary(min_size=8, max_size=8)
MESH = st.builds(MeshHeader, hops_left=st.integers(0, 255), originator=ADDRESS, final=ADDRESS)


@given(MESH)
def test_every_mesh_header_comes_back(mesh):
    octets = mesh.encode()
    assert is_mesh(octets[0])
    reader = Reader(octets)
    assert MeshHeader.decode(reader) == mesh
    reader.finish()


def test_headers_by_hand():
    mesh = MeshHeader(hops_left=8, originator=1, final=0xFFFF)
    assert Headers(mesh=mesh, broadcast=5, rest=b"\x7e").encode().hex() == "b80001ffff50057e"
    assert MeshHeader(hops_left=15, originator=1, final=0).encode().hex() == "bf0f00010000"
    assert command(2, b"x").hex() == "400278"


@given(st.none() | MESH, st.none() | st.integers(0, 255), st.binary(max_size=20).map(lambda rest: b"\x7e" + rest))
def test_every_pile_of_headers_comes_back(mesh, broadcast, rest):
    headers = Headers(mesh=mesh, broadcast=broadcast, rest=rest)
    assert Headers.decode(headers.encode()) == headers


@given(st.binary(max_size=30))
def test_any_octets_are_headers_or_a_decode_error(octets):
    try:
        headers = Headers.decode(octets)
    except DecodeError:
        return
    assert Headers.decode(headers.encode()) == headers


def test_what_cannot_be_sent_or_read_is_refused():
    with pytest.raises(LocalProtocolError):
        MeshHeader(hops_left=256, originator=1, final=2).encode()
    with pytest.raises(DecodeError):
        MeshHeader.decode(Reader(b"\x41"))
