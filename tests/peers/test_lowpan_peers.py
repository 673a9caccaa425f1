"""Wireshark's dissectors read our 802.15.4 frames, 6LoWPAN headers, fragments and checksums."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from struct import pack
from typing import Any, Final

import pytest

from meterway.stacks.neighbourhood import mesh
from meterway.stacks.neighbourhood.ieee802154 import (
    BROADCAST,
    Address,
    FrameKind,
    MacFrame,
    SecurityHeader,
    seal_frame,
    with_fcs,
)
from meterway.stacks.neighbourhood.lowpan import ALL_NODES, Adaptation, Datagram, link_local, write_datagram
from meterway.stacks.neighbourhood.lowpan.ip import Ipv6Packet
from meterway.stacks.neighbourhood.lowpan.iphc import Compressor
from stacks.neighbourhood.wpan.test_coordinator import network
from stacks.neighbourhood.wpan_net import EUI as COORDINATOR
from stacks.neighbourhood.wpan_net import eui_of

pytestmark = [pytest.mark.peer, pytest.mark.needs("tshark"), pytest.mark.covers("IF-C")]

PAN: Final = 0x1234
EUI: Final = bytes.fromhex("acde480000000001")
OTHER: Final = bytes.fromhex("0201020304050607")
KEY: Final = bytes(range(16))
WITH_FCS: Final = 195
"""The link type of 802.15.4 frames with their FCS in a capture file."""

Shark = Callable[..., list[dict[str, list[str]]]]


@pytest.fixture
def shark(program: Callable[[str], Path], tmp_path: Path) -> Shark:
    """What tshark reads in frames: for each frame the values of every field asked for."""

    def read(frames: Sequence[bytes], fields: Sequence[str], *preferences: str) -> list[dict[str, list[str]]]:
        capture = tmp_path / "frames.pcap"
        head = pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, WITH_FCS)
        records = (pack("<IIII", at, 0, len(frame), len(frame)) + frame for at, frame in enumerate(frames))
        capture.write_bytes(head + b"".join(records))
        command = [str(program("tshark")), "-r", str(capture), "-2", "-T", "json"]
        chosen = [part for field in fields for part in ("-e", field)]
        # The TI CC24xx form of the FCS is not the norm's; checksums are checked only when asked for.
        options = [
            "wpan.fcs_format:ITU-T CRC-16",
            "udp.check_checksum:TRUE",
            "6lowpan.rfc4944_short_address_format:FALSE",
        ]
        asked = [part for option in (*options, *preferences) for part in ("-o", option)]
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        done = subprocess.run([*command, *chosen, *asked], capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        packets: list[dict[str, Any]] = json.loads(done.stdout)
        assert len(packets) == len(frames)
        return [packet["_source"]["layers"] for packet in packets]

    return read


def frames_of(packet: Ipv6Packet, source: Address, destination: Address, *, hops: int | None = None) -> list[bytes]:
    adaptation = Adaptation(Compressor(), room=80, first_tag=7, hops=hops)
    return [
        with_fcs(
            MacFrame(
                kind=FrameKind.DATA, sequence=at, pan=PAN, destination=destination, source=source, payload=payload
            ).encode()
        )
        for at, payload in enumerate(adaptation.send(packet, source, destination))
    ]


def datagram(source: bytes, destination: bytes, payload: bytes = b"\x00\x01\x00\x01\x00\x10\x00\x01\x61") -> Ipv6Packet:
    ports = {"source_port": 4059, "destination_port": 4059}
    return write_datagram(Datagram(source=source, destination=destination, payload=payload, **ports))


@pytest.mark.parametrize(
    ("source", "destination", "addresses"),
    [
        (1, 0, ("fe80::ff:fe00:1", "fe80::ff:fe00:0")),
        (EUI, OTHER, ("fe80::aede:4800:0:1", "fe80::1:203:405:607")),
        (EUI, 0, ("fe80::aede:4800:0:1", "fe80::ff:fe00:0")),
    ],
)
def test_addresses_ports_and_checksum_are_read(
    shark: Shark, source: Address, destination: Address, addresses: tuple[str, str]
) -> None:
    frames = frames_of(datagram(link_local(source), link_local(destination)), source, destination)
    (read,) = shark(
        frames,
        [
            "wpan.fcs_ok",
            "wpan.dst_pan",
            "ipv6.src",
            "ipv6.dst",
            "udp.srcport",
            "udp.dstport",
            "udp.checksum.status",
            "udp.payload",
            "ipv6.hlim",
            "wpan.seq_no",
        ],
    )
    assert (read["ipv6.src"], read["ipv6.dst"]) == ([addresses[0]], [addresses[1]])
    assert (read["udp.srcport"], read["udp.dstport"]) == (["4059"], ["4059"])
    assert read["udp.checksum.status"] == ["1"]
    assert read["udp.payload"] == ["000100010010000161"]
    assert read["wpan.fcs_ok"] in (["1"], ["True"])
    assert (read["wpan.dst_pan"], read["ipv6.hlim"], read["wpan.seq_no"]) == (["0x1234"], ["64"], ["0"])


@pytest.mark.parametrize("hops", [None, 8], ids=["plain", "mesh header"])
def test_fragments_are_put_together(shark: Shark, hops: int | None) -> None:
    payload = bytes(at % 251 for at in range(700))
    frames = frames_of(datagram(link_local(1), link_local(0), payload), 1, 0, hops=hops)
    assert len(frames) > 8
    read = shark(
        frames, ["udp.payload", "udp.checksum.status", "ipv6.src", "6lowpan.frag.offset", "6lowpan.mesh.orig16"]
    )
    assert read[-1]["udp.payload"] == [payload.hex()]
    assert read[-1]["udp.checksum.status"] == ["1"]
    assert read[-1]["ipv6.src"] == ["fe80::ff:fe00:1"]
    assert read[0].get("6lowpan.mesh.orig16") == (None if hops is None else ["0x0001"])


def test_a_broadcast_goes_to_all_nodes(shark: Shark) -> None:
    frames = frames_of(datagram(link_local(0), ALL_NODES), 0, BROADCAST, hops=8)
    (read,) = shark(frames, ["ipv6.dst", "wpan.dst16", "6lowpan.bcast.seqnum", "udp.checksum.status"])
    assert (read["ipv6.dst"], read["wpan.dst16"]) == (["ff02::1"], ["0xffff"])
    assert (read["6lowpan.bcast.seqnum"], read["udp.checksum.status"]) == (["1"], ["1"])


@pytest.mark.parametrize(
    "packet",
    [
        {"hop_limit": 1},
        {"hop_limit": 63},
        {"traffic_class": 0xB9},
        {"flow_label": 0x12345, "traffic_class": 1},
        {"flow_label": 0x12345, "traffic_class": 0xB9},
        {"source": bytes.fromhex("20010db8000000000000000000000001")},
        {"source": bytes(16), "destination": bytes.fromhex("ff0500000000000000000000000203fe")},
        {"destination": bytes.fromhex("ff050000000000000000000102030405")},
        {"destination": bytes.fromhex("ff051234000000000000000102030405")},
        {"source": link_local(0x77), "destination": link_local(OTHER)},
    ],
    ids=lambda packet: "-".join(packet),
)
def test_every_form_of_the_compressed_header_is_read(shark: Shark, packet: dict[str, Any]) -> None:
    fields = {"source": link_local(1), "destination": link_local(0), "next_header": 59, "payload": b"x"} | packet
    ours = Ipv6Packet(**fields)
    names = ["ipv6.src", "ipv6.dst", "ipv6.hlim", "ipv6.tclass", "ipv6.flow", "ipv6.nxt"]
    (read,) = shark(frames_of(ours, 1, 0), names)
    from ipaddress import IPv6Address

    assert [IPv6Address(read[name][0]).packed for name in names[:2]] == [ours.source, ours.destination]
    numbers = [int(read[name][0], 0) for name in names[2:]]
    assert numbers == [ours.hop_limit, ours.traffic_class, ours.flow_label, ours.next_header]


@pytest.mark.covers("SEC-04")
@pytest.mark.parametrize("level", [1, 2, 3, 5, 6, 7])
def test_secured_frames_are_opened(shark: Shark, level: int) -> None:
    packet = datagram(link_local(EUI), link_local(0))
    (payload,) = Adaptation(Compressor(), room=80, first_tag=0).send(packet, EUI, 0)
    frame = MacFrame(
        kind=FrameKind.DATA,
        sequence=9,
        pan=PAN,
        destination=0,
        source=EUI,
        security=SecurityHeader(level=level, counter=77, key_index=1),
        payload=payload,
    )
    key = f'uat:ieee802154_keys:"{KEY.hex()}","1","No hash"'
    names = ["udp.payload", "udp.checksum.status", "wpan.aux_sec.frame_counter", "wpan.aux_sec.key_index"]
    (read,) = shark([with_fcs(seal_frame(frame, KEY, EUI).encode())], names, key)
    assert (read["udp.payload"], read["udp.checksum.status"]) == ([packet.payload[8:].hex()], ["1"])
    assert (read["wpan.aux_sec.frame_counter"], read["wpan.aux_sec.key_index"]) == (["77"], ["0x01"])
    (read,) = shark([with_fcs(seal_frame(frame, bytes(16), EUI).encode())], names, key)
    assert level < 5 or "udp.payload" not in read


@pytest.mark.covers("SEC-04")
def test_a_whole_network_is_read_with_its_key(shark: Shark) -> None:
    """Join and APDUs of the mesh profile, with fragments: with the group key tshark reads what we sent, without not."""
    net = network(mesh)
    ask, answer = bytes(at % 250 for at in range(700)), bytes(at % 249 for at in range(300))
    net.send(0, eui_of(1), ask, client=16, server=1)
    net.send(1, COORDINATOR, answer, client=16, server=1)
    frames = [frame.octets for _, frame in net.frames]
    ((index, key),) = net.stations[1]._keyring._keys.items()
    members = ((0, COORDINATOR), (1, eui_of(1)))
    addresses = (f'uat:802154_addresses:"{short:#06x}","0x781d",{eui.hex()}' for short, eui in members)
    keys = f'uat:ieee802154_keys:"{key.hex()}","{index + 1}","No hash"'
    names = ["udp.payload", "udp.checksum.status", "udp.srcport", "wpan.fcs_ok", "wpan.frame_type", "ipv6.src"]
    read = shark(frames, names, keys, *addresses)
    assert all(one["wpan.fcs_ok"] in (["1"], ["True"]) for one in read)
    assert [one["wpan.frame_type"][0][-1] for one in read[:4]] == ["0", "3", "0", "1"]  # beacon, command, beacon, data
    got = [one for one in read if "udp.payload" in one]
    wrapped = (b"\x00\x01\x00\x10\x00\x01" + len(ask).to_bytes(2, "big") + ask,)
    wrapped += (b"\x00\x01\x00\x01\x00\x10" + len(answer).to_bytes(2, "big") + answer,)
    assert [one["udp.payload"][0] for one in got] == [one.hex() for one in wrapped]
    assert [one["udp.checksum.status"] for one in got] == [["1"], ["1"]]
    assert [one["ipv6.src"] for one in got] == [["fe80::ff:fe00:0"], ["fe80::ff:fe00:1"]]
    assert not [one for one in shark(frames, names) if "udp.payload" in one]
