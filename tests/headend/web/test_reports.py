"""Reports over HTTP: a token for each concentrator, receipts only for what is on disk, and what is wrong named."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from litestar.testing import TestClient

from headend.reports import DAY_S, node, report, series, today
from meterway.headend.config import BulkConfig, CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.serve import HeadEnd
from meterway.headend.web.app import create_app
from meterway.headend.web.reports import PATH
from meterway.headend.web.tokens import new_token
from meterway.model.report import JSON_TYPE, XML_TYPE, decode_receipt, encode_report
from meterway.store.devices import GATEWAY, NewDevice

pytestmark = pytest.mark.covers("IF-G2", "SEC-03")

NODES = report("nodes", topology=[node(1)], created=1000)
ONE = report("one", series(1, today() - DAY_S, 4))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[TestClient[Any], dict[str, str], HeadEnd]]:
    tokens = tmp_path / "tokens"
    bearer = {"Authorization": f"Bearer {new_token(tokens, 'N1')}", "Content-Type": JSON_TYPE}
    config = HeadEndConfig(
        store=str(tmp_path / "s.db"), master_key=str(tmp_path / "k"), push=PushConfig(enabled=False),
        collect=CollectConfig(enabled=False), bulk=BulkConfig(tokens=str(tokens), largest=1_000_000),
    )  # fmt: skip
    head = HeadEnd(config)
    head.store.devices.add(NewDevice(serial="N1", utility=GATEWAY, profile="nnap"), now_ms=1)
    with TestClient(create_app(head), base_url="http://127.0.0.1") as client:
        client.post(PATH, content=encode_report(NODES), headers=bearer)
        yield client, bearer, head
    head.collector.close()
    head.store.close()


def test_a_report_is_acknowledged_when_it_is_on_disk_and_once(place: Any) -> None:
    client, bearer, head = place
    answer = client.post(PATH, content=encode_report(ONE), headers=bearer)
    assert answer.status_code == 200
    assert decode_receipt(answer.content).result == "stored"
    assert len(head.store.blocks.read_range(head.store.devices.by_serial("M1").id, 0, 40000)) == 1
    assert decode_receipt(client.post(PATH, content=encode_report(ONE), headers=bearer).content).result == "duplicate"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("xml", [False, True])
def test_it_may_be_packed_and_in_xml(place: Any, encoding: str, *, xml: bool) -> None:
    client, bearer, _ = place
    pack = gzip.compress if encoding == "gzip" else zstandard.ZstdCompressor().compress
    headers = bearer | {"Content-Encoding": encoding, "Content-Type": XML_TYPE if xml else JSON_TYPE}
    answer = client.post(PATH, content=pack(encode_report(ONE, xml=xml)), headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.covers("SEC-11")
def test_what_is_wrong_has_a_status_and_names_field_and_place(place: Any) -> None:
    client, bearer, _ = place
    octets = encode_report(ONE)
    wrong = encode_report(report("bad", series(7, today() - DAY_S, 4)))
    cases = [
        (octets, {**bearer, "Authorization": "Bearer wrong"}, 401, "token"),
        (octets, {"Content-Type": JSON_TYPE}, 401, "token"),
        (octets, bearer | {"Content-Type": "text/plain"}, 415, "text/plain"),
        (octets, bearer | {"Content-Encoding": "br"}, 415, "br"),
        (gzip.compress(bytes(2_000_000)), bearer | {"Content-Encoding": "gzip"}, 413, "more than"),
        (b'{"id": "report-x"}', bearer, 422, "nnap"),
        (wrong, bearer, 422, "meters[0].serial"),
        (encode_report(report("x", nnap="N2")), bearer, 403, "N2"),
    ]
    for content, headers, status, word in cases:
        answer = client.post(PATH, content=content, headers=headers)
        assert (answer.status_code, word in answer.text) == (status, True), answer.text


@pytest.mark.covers("SEC-11")
def test_who_has_no_token_is_refused_before_the_body_is_taken(place: Any) -> None:
    client, bearer, _ = place
    longer = bytes((32 << 20) + 1)
    assert client.post(PATH, content=longer, headers=bearer | {"Authorization": "Bearer wrong"}).status_code == 401
    assert client.post(PATH, content=longer, headers=bearer).status_code == 413


def test_another_report_of_the_same_id_is_a_conflict(place: Any) -> None:
    client, bearer, _ = place
    client.post(PATH, content=encode_report(ONE), headers=bearer)
    other = encode_report(report("one", series(1, today() - DAY_S, 5)))
    assert client.post(PATH, content=other, headers=bearer).status_code == 409


@pytest.mark.covers("SEC-02")
def test_a_concentrators_token_opens_nothing_else(place: Any) -> None:
    client, bearer, _ = place
    assert client.get("/api/v1/overview", headers={"Authorization": bearer["Authorization"]}).status_code == 401
