"""Reports on their way: sent until acknowledged, by HTTP and by a broker."""

import asyncio
import json
import subprocess

import pytest

from meterway.base.errors import DecodeError, LinkError
from meterway.model.report import Receipt
from meterway.nnap.config import ReportConfig
from meterway.nnap.delivery import Courier, Pace, post
from meterway.nnap.store import KeptReport, Store
from nnap_network import until

pytestmark = pytest.mark.covers("IF-G2")


class Receiver:
    """An HTTP server of a few lines: ``answers`` are what it says, one after the other, the last for ever."""

    def __init__(self, *answers):
        self.answers, self.got = list(answers), []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["Content-Length"]))
        self.got.append((headers, body))
        status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            answer = {"id": json.loads(body)["id"], "result": "stored"}
        octets = json.dumps(answer).encode()
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(octets)))
        writer.write(octets)
        await writer.drain()
        writer.close()


def spool(*ids):
    store = Store(":memory:")
    for one in ids:
        store.add_report(one, json.dumps({"id": one}).encode())
    return store


def config(port, **changes):
    return ReportConfig(url=f"http://127.0.0.1:{port}/g2/reports", token="t0ken", retry_s=0.05, **changes)


async def deliver(courier, what):
    task = asyncio.create_task(courier.run())
    await until(what)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_report_goes_with_its_token_and_leaves_the_spool_with_its_receipt():
    async def work():
        async with Receiver((200, None)) as receiver:
            store = spool("report-1", "report-2")
            courier = Courier(config(receiver.port), store, "N1")
            await deliver(courier, lambda: courier.sent == 2)
            assert store.reports() == []
            headers, _ = receiver.got[0]
            assert headers["Authorization"] == "Bearer t0ken"
            assert headers["Content-Type"] == "application/vnd.meterway.report+json"
            assert headers["Content-Encoding"] == "gzip"

    asyncio.run(work())


@pytest.mark.parametrize(
    "wrong", [(503, {}), (200, {"id": "another-1", "result": "stored"}), (200, {"what": 1}), (401, {})]
)
def test_without_its_own_receipt_it_is_sent_again_and_that_is_said_once(wrong, caplog):
    async def work():
        async with Receiver(wrong, wrong, (200, None)) as receiver:
            store = spool("report-1")
            courier = Courier(config(receiver.port), store, "N1")
            await deliver(courier, lambda: courier.sent == 1)
            assert len(receiver.got) == 3
            assert len({body for _, body in receiver.got}) == 1

    asyncio.run(work())
    assert len(caplog.records) == 1


def test_what_is_refused_is_put_aside_and_the_next_goes():
    async def work():
        async with Receiver((422, {}), (200, None)) as receiver:
            store = spool("report-1", "report-2")
            courier = Courier(config(receiver.port), store, "N1")
            await deliver(courier, lambda: courier.sent == 1)
            assert courier.refused == 1
            assert store.state("refused:report-1")
            assert store.reports() == []

    asyncio.run(work())


def test_what_was_refused_is_tried_again_and_not_lost():
    """The head end refuses what it does not know: a meter that nobody has registered yet."""

    async def work():
        async with Receiver((422, {}), (422, {}), (200, None)) as receiver:
            store = spool("report-1")
            courier = Courier(config(receiver.port), store, "N1", again_s=0.1)
            await deliver(courier, lambda: courier.sent == 1)
            assert courier.refused == 2
            assert {body for _, body in receiver.got} == {b'{"id": "report-1"}'}
            assert store.reports() == []
            assert store.put_back() == 0

    asyncio.run(work())


def test_a_receiver_that_is_away_is_asked_again_and_new_reports_wake_the_courier():
    async def work():
        async with Receiver((200, None)) as receiver:
            store = spool()
            courier = Courier(config(receiver.port), store, "N1")
            task = asyncio.create_task(courier.run())
            await asyncio.sleep(0.05)
            store.add_report("report-9", b'{"id": "report-9"}')
            courier.wake()
            await until(lambda: courier.sent == 1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(LinkError):
            post(config(receiver.port), KeptReport(1, "report-1", b"{}"), None)

    asyncio.run(work())


def test_a_refusal_is_an_error_of_its_own():
    async def work():
        async with Receiver((409, {})) as receiver:
            with pytest.raises(DecodeError, match="refuses"):
                await asyncio.to_thread(post, config(receiver.port), KeptReport(1, "report-1", b"{}"), None)

    asyncio.run(work())


def test_a_report_without_a_receipt_is_published_ever_more_rarely_and_then_no_more():
    pace, now, at = Pace(), 0.0, []
    while not pace.is_hopeless("r", now):
        assert now < 36_000
        if pace.is_due("r", now):
            pace.published("r", now)
            at.append(now)
        now += 10.0
    assert at == [0, 30, 90, 210, 450, 930, 1890]
    assert not pace.is_due("r", now + 1e6)
    pace.keep_only(["another"])
    assert pace.is_due("r", now)


def test_a_receipt_that_refuses_puts_the_report_aside_and_is_told_once():
    store, told = spool("report-1"), []
    courier = Courier(config(1), store, "N1")
    courier.on_refused = lambda *what: told.append(what)
    no = Receipt(id="report-1", result="refused", reason="meters[0].serial: no")
    courier._receipt(no)
    assert (store.reports(), courier.refused, courier.sent) == ([], 1, 0)
    assert "meters[0].serial: no" in courier.error
    store.put_back()
    courier._receipt(no)
    courier._receipt(Receipt(id="report-9", result="refused"))
    assert [one for one, _ in told] == ["report-1"]
    store.put_back()
    courier._receipt(Receipt(id="report-1", result="stored"))
    assert (store.reports(), store.put_back(), courier.sent) == ([], 0, 1)


@pytest.mark.needs("mosquitto")
@pytest.mark.peer
def test_over_a_broker_until_the_receipt_comes(program, tmp_path):
    aiomqtt = pytest.importorskip("aiomqtt")

    async def receive(port, seen):
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("meterway/N1/reports", qos=1)
            async for message in client.messages:
                seen.append(message.payload)
                receipt = json.dumps({"id": json.loads(message.payload)["id"], "result": "stored"})
                await client.publish("meterway/N1/receipts", receipt, qos=1)

    async def work(port):
        store, seen = spool("report-1", "report-2"), []
        receiver = asyncio.create_task(receive(port, seen))
        await asyncio.sleep(0.3)
        courier = Courier(ReportConfig(broker="127.0.0.1", broker_port=port, retry_s=0.1), store, "N1")
        task = asyncio.create_task(courier.run())
        await until(lambda: courier.sent == 2)
        store.add_report("report-3", b'{"id": "report-3"}')
        courier.wake()
        await until(lambda: courier.sent == 3)
        assert store.reports() == []
        for one in (task, receiver):
            one.cancel()
        await asyncio.gather(task, receiver, return_exceptions=True)

    async def free_port():
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return port

    port = asyncio.run(free_port())
    settings = tmp_path / "m.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with subprocess.Popen([program("mosquitto"), "-c", settings], stderr=subprocess.DEVNULL) as broker:
        try:

            async def ready():
                for _ in range(100):
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                    except OSError:
                        await asyncio.sleep(0.05)
                    else:
                        writer.close()
                        return

            asyncio.run(ready())
            asyncio.run(work(port))
        finally:
            broker.terminate()
