"""Bulk reports as they come in, over HTTP or a message broker: opened, read, stored, told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from meterway.base.errors import MeterwayError
from meterway.headend.bulk import Bulk, Delivered
from meterway.headend.inflate import inflated
from meterway.headend.live import Happening, Live
from meterway.model.report import Receipt, decode_report

__all__ = ["Delivery"]


class _InThread(Protocol):
    def __call__(self, step: Callable[[], Delivered]) -> Awaitable[Delivered]: ...


class Delivery:
    """Takes reports one after another; ``limit`` is how many octets one may have in clear."""

    def __init__(self, bulk: Bulk, live: Live, *, in_thread: _InThread, wake: Callable[[], None], limit: int) -> None:
        self._bulk = bulk
        self._live = live
        self._in_thread = in_thread
        self._wake = wake
        self._limit = limit
        self._opening = asyncio.Semaphore(2)
        self.results: Counter[str] = Counter()
        """How many were stored, duplicates or refused."""
        self.octets = 0

    async def take(
        self, octets: bytes, sender: str, *, is_xml: bool | None = None, encoding: str | None = None
    ) -> Receipt:
        """Store a report; the receipt is true: it is on disk. ``is_xml`` None: by how it begins.

        DecodeError if it is none, SecurityError in another's name, BulkError for what makes no sense, StoreError if it
        could not be stored: the sender keeps it then and comes again.
        """
        self.octets += len(octets)
        try:
            delivered = await self._taken(octets, sender, is_xml, encoding)
        except MeterwayError as error:
            self.results["refused"] += 1
            self._tell("report-refused", "", f"{sender}: {error}")
            raise
        self.results[delivered.receipt.result] += 1
        self._tell_all(delivered)
        return delivered.receipt

    async def _taken(self, octets: bytes, sender: str, is_xml: bool | None, encoding: str | None) -> Delivered:
        async with self._opening:  # what is opened at a time is bounded, not only each
            clear = await asyncio.to_thread(inflated, octets, self._limit, encoding)
            xml = clear.lstrip()[:1] == b"<" if is_xml is None else is_xml
            report = await asyncio.to_thread(decode_report, clear, xml=xml)
            return await self._in_thread(lambda: self._bulk.store(report, sender, octets=len(octets)))

    def _tell_all(self, delivered: Delivered) -> None:
        text = f"{delivered.receipt.id} {delivered.receipt.result}: {delivered.values} values"
        self._tell("report", delivered.nnap, text)
        for change in delivered.changes:
            serial, _, what = change.partition(" ")
            self._tell("topology", serial, what)
        if delivered.changes:
            self._wake()

    def _tell(self, kind: str, serial: str, text: str) -> None:
        self._live.tell(Happening(kind, serial, text, time.time(), {}))
