"""Reports on their way: over HTTPS or through a message broker, again and again until the head end has them.

A report leaves the spool when its receipt names its id, and not before.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from meterway.base.errors import DecodeError, LinkError, MeterwayError
from meterway.links.mqtt import Library, MqttClient, library
from meterway.links.tls import client_context
from meterway.model.report import JSON_TYPE, XML_TYPE, Receipt, decode_receipt
from meterway.nnap.config import ReportConfig
from meterway.nnap.store import KeptReport, Store

__all__ = ["Courier", "Pace", "post"]

_LOG: Final = logging.getLogger(__name__)
_TIMEOUT_S: Final = 30.0
_LONGEST_ANSWER: Final = 65536
_OK: Final = 200
_REFUSED: Final = frozenset((400, 409, 413, 415, 422))
_RECEIPT_S: Final = 30.0
_AGAIN_S: Final = 3600.0
_MOST_TRIES: Final = 7


def _context(config: ReportConfig) -> ssl.SSLContext:
    paths = [Path(name) if name else None for name in (config.authority, config.certificate, config.key)]
    return client_context(authority=paths[0], certificate=paths[1], key=paths[2])


def _encoding(config: ReportConfig) -> dict[str, str]:
    return {} if config.compression == "none" else {"Content-Encoding": config.compression}


def post(config: ReportConfig, report: KeptReport, context: ssl.SSLContext | None) -> str:
    """Send one report and give the id its receipt names; blocks. LinkError if there is no receipt.

    DecodeError if the receiver refuses it: sending it again at once would not help.
    """
    url = urlsplit(config.url)
    host, port = url.hostname or "", url.port
    line: http.client.HTTPConnection
    if context is None:
        line = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    else:
        line = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
    headers = {"Content-Type": XML_TYPE if config.form == "xml" else JSON_TYPE, **_encoding(config)}
    if token := config.secret("token"):
        headers["Authorization"] = f"Bearer {token}"
    try:
        line.request("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), report.octets, headers)
        answer = line.getresponse()
        body = answer.read(_LONGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise LinkError(f"report to {host}: {error}") from error
    finally:
        line.close()
    if answer.status in _REFUSED:
        raise DecodeError(f"the head end refuses report {report.id}: {answer.status}", 0, "report")
    if answer.status // 100 * 100 != _OK:
        raise LinkError(f"report to {host}: {answer.status} {answer.reason}")
    receipt = decode_receipt(body)
    if receipt.result == "refused":
        raise DecodeError(f"the head end refuses report {report.id}: {receipt.reason}", 0, "report")
    return receipt.id


class Pace:
    """How often a report is published that gets no receipt: ever more rarely, and in the end no more."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, float]] = {}

    def is_due(self, report_id: str, now: float) -> bool:
        """Whether to publish it now."""
        times, next_s = self._told.get(report_id, (0, now))
        return times < _MOST_TRIES and now >= next_s

    def is_hopeless(self, report_id: str, now: float) -> bool:
        """Whether it was published often enough, and waited for after the last time."""
        times, next_s = self._told.get(report_id, (0, now))
        return times >= _MOST_TRIES and now >= next_s

    def published(self, report_id: str, now: float) -> None:
        """It has gone out."""
        times, _ = self._told.get(report_id, (0, now))
        self._told[report_id] = (times + 1, now + _RECEIPT_S * 2**times)

    def keep_only(self, waiting: Iterable[str]) -> None:
        """Forget those that wait no more."""
        self._told = {one: self._told[one] for one in waiting if one in self._told}


class Courier:
    """Delivers what is in the spool until it is cancelled; ``error`` is what went wrong last.

    A report that is refused is put aside and tried again, ``again_s`` later at the latest: what the head end does not
    know today may be in its registry then.
    """

    def __init__(self, config: ReportConfig, store: Store, serial: str, *, again_s: float = _AGAIN_S) -> None:
        self.on_refused: Callable[[str, str], None] = lambda report_id, reason: None
        """Told once of each report that is refused."""
        self._told: set[str] = set()
        self._again_s = again_s
        self._config = config
        self._store = store
        self._place = f"{config.prefix}/{serial}"
        self._wake = asyncio.Event()
        self._mqtt = library("report") if config.broker else None
        self._tls = _context(config) if config.url.startswith("https") or (config.broker and config.tls) else None
        self.sent = 0
        self.refused = 0
        self.error = ""

    def wake(self) -> None:
        """There is something new in the spool."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver, the oldest first."""
        while True:
            try:
                with self._store.transaction():
                    self._store.put_back()
                await (self._over_http() if self._mqtt is None else self._over_broker(self._mqtt))
                self.error = ""
            except MeterwayError as error:
                if str(error) != self.error:  # once, not at each attempt
                    _LOG.warning("%s", error)
                self.error = str(error)
                await asyncio.sleep(self._config.retry_s)
            await self._something()

    async def _something(self) -> None:
        self._wake.clear()
        if not self._store.reports(1):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._again_s):
                    await self._wake.wait()

    async def _over_http(self) -> None:
        for report in self._store.reports():
            try:
                named = await asyncio.to_thread(post, self._config, report, self._tls)
            except DecodeError as error:
                if error.kind != "report" or "refuses" not in str(error):
                    raise LinkError(f"no receipt for {report.id}: {error}") from None
                self._refuse(report, error)
                continue
            if named != report.id:
                raise LinkError(f"the receipt for {report.id} is for {named}")
            self._done(report.id)

    def _done(self, report_id: str) -> None:
        with self._store.transaction():
            if self._store.drop_report(report_id):
                self.sent += 1

    def _refuse(self, report: KeptReport, error: MeterwayError) -> None:
        """It makes way for the others, and is kept."""
        _LOG.error("%s", error)
        with self._store.transaction():
            self._store.put_aside(report.id, report.octets)
        self.refused += 1
        self.error = str(error)
        if report.id not in self._told:
            self._told.add(report.id)
            self.on_refused(report.id, str(error))

    async def _over_broker(self, mqtt: Library) -> None:
        config = self._config
        client = mqtt.Client(
            config.broker,
            config.broker_port,
            username=config.username or None,
            password=config.secret("password") or None,
            identifier=f"meterway-{self._place.rpartition('/')[2]}",
            tls_context=self._tls,
        )
        try:
            async with client as broker:
                await broker.subscribe(f"{self._place}/receipts", qos=1)
                receipts = asyncio.create_task(self._receipts(broker))
                try:
                    await self._publish(broker, receipts)
                finally:
                    receipts.cancel()
                    await asyncio.gather(receipts, return_exceptions=True)
        except mqtt.MqttError as error:
            raise LinkError(f"broker {config.broker}: {error}") from None

    async def _publish(self, broker: MqttClient, receipts: asyncio.Task[None]) -> None:
        """Publish what waits; what gets no receipt in time is published again, ever more rarely, and then put aside."""
        clock = asyncio.get_running_loop().time
        pace, back_s = Pace(), clock() + self._again_s
        while not receipts.done():
            self._wake.clear()
            if clock() >= back_s:
                back_s = clock() + self._again_s
                with self._store.transaction():
                    self._store.put_back()
            waiting = self._store.reports()
            for report in waiting:
                if pace.is_due(report.id, clock()):
                    await broker.publish(f"{self._place}/reports", report.octets, qos=1)
                    pace.published(report.id, clock())
                elif pace.is_hopeless(report.id, clock()):
                    self._refuse(report, LinkError(f"no receipt for {report.id} after {_MOST_TRIES} times"))
            pace.keep_only([report.id for report in waiting])
            woken = asyncio.create_task(self._wake.wait())
            await asyncio.wait(
                [receipts, woken], timeout=min(_RECEIPT_S, self._again_s), return_when=asyncio.FIRST_COMPLETED
            )
            woken.cancel()
        await receipts

    async def _receipts(self, broker: MqttClient) -> None:
        async for message in broker.messages:
            if not isinstance(message.payload, bytes):
                continue
            try:
                self._receipt(decode_receipt(message.payload))
            except DecodeError as error:
                _LOG.warning("%s", error)

    def _receipt(self, receipt: Receipt) -> None:
        if receipt.result != "refused":
            self._done(receipt.id)
            return
        refused = next((one for one in self._store.reports() if one.id == receipt.id), None)
        if refused is not None:
            self._refuse(
                refused, DecodeError(f"the head end refuses report {receipt.id}: {receipt.reason}", 0, "report")
            )
