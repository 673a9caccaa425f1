"""Nodes of neighbourhoods."""

from dataclasses import replace

import pytest

from meterway.store.database import Store
from meterway.store.devices import GATEWAY, NewDevice
from meterway.store.nodes import Node

pytestmark = pytest.mark.covers("E-HES-1", "E-NNAP")


def test_a_device_is_one_node_and_what_is_newer_takes_its_place(store: Store, devices: list[int]) -> None:
    first, second, nnap = devices
    node = Node(device=first, nnap=nnap, eui=b"12345678", parent=b"", hops=1, quality=90, sap=17, heard_ms=5)
    store.nodes.put_many([node, replace(node, device=second, eui=b"87654321", parent=b"12345678", hops=2)])
    assert store.nodes.find(first) == node
    assert [each.device for each in store.nodes.of_nnap(nnap)] == [first, second]
    store.nodes.put_many([replace(node, nnap=second, quality=10)])
    assert store.nodes.find(first) == replace(node, nnap=second, quality=10)
    assert [each.device for each in store.nodes.of_nnap(nnap)] == [second]
    assert store.nodes.count() == 2
    store.nodes.remove(first)
    assert store.nodes.find(first) is None
    store.nodes.put_many([])


def test_a_meter_on_a_neighbourhood_answers_for_itself_and_one_behind_a_gateway_does_not(
    store: Store, devices: list[int]
) -> None:
    nnap = store.devices.add(NewDevice(serial="N1", utility=GATEWAY), now_ms=1)
    for device in devices[:2]:
        store.devices.update(device, {"parent": nnap.id}, now_ms=2)
    assert store.devices.direct() == 1
    store.nodes.put_many([Node(device=devices[0], nnap=nnap.id, eui=b"12345678")])
    assert store.devices.direct() == 2
