"""The octets of an interval block, format version 1.

One version octet, then a zstd frame. Inside, little-endian: start (i64 seconds), interval (u32 seconds), slots (u32),
channels (u8); one 26-octet record a channel (OBIS, unit, scaler, form, quality, base, step); the values of each
channel, least octet of all slots first ("byte-shuffled"); for channels with gaps a bit a slot; for channels whose
quality varies an octet a slot. ``form`` tells the octets a value takes, whether values or their differences are kept
(the narrower range of the two), and which of the optional parts follow.

The digest is taken over what is inside the frame: it names the content, whatever the compressor does.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt
import zstandard

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.store.block import Batch, Block, Channel, Column, Flags, Integers, Octets, batch_of

__all__ = ["Packed", "pack", "pack_many", "unpack", "unpacker"]

_VERSION: Final = b"\x01"
_FIXED: Final = struct.Struct("<qIIB")
_RECORD: Final = np.dtype(
    [
        ("obis", "u1", 6),
        ("unit", "u1"),
        ("scaler", "i1"),
        ("form", "u1"),
        ("quality", "u1"),
        ("base", "<i8"),
        ("step", "<i8"),
    ]
)
_RECORD_PLAIN: Final = struct.Struct("<6sBbBBqq")
_WIDTHS: Final = (0, 1, 2, 4, 8)
_WIDTH_BITS, _DELTA, _GAPS, _VARIES = 0x07, 0x08, 0x10, 0x20
_LARGEST: Final = 1 << 26
_DELTA_LIMIT: Final = 1 << 62

Wide = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A block ready for its row: ``count`` present values, ``sums`` of each channel over present values."""

    octets: bytes
    digest: bytes
    start_s: int
    interval_s: int
    slots: int
    channels: int
    count: int
    sums: tuple[int, ...]


def pack(block: Block) -> Packed:
    """Pack one block; StoreError if it has no channel or no slot."""
    return pack_many(batch_of([block]))[0]


def pack_many(batch: Batch) -> list[Packed]:
    """Pack all blocks of a batch, in order; StoreError if the arrays do not have one shape."""
    _check_shape(batch)
    present = None if batch.present is None or bool(batch.present.all()) else batch.present
    bodies = _bodies(batch, present)
    compress = zstandard.ZstdCompressor(level=3).compress
    counts, sums = _totals(batch.values, present)
    shape = {"interval_s": batch.interval_s, "slots": batch.values.shape[2], "channels": batch.values.shape[1]}
    return [
        Packed(
            octets=_VERSION + compress(body),
            digest=blake2b(body, digest_size=16).digest(),
            start_s=start,
            count=count,
            sums=tuple(total),
            **shape,
        )
        for body, start, count, total in zip(bodies, batch.starts_s.tolist(), counts, sums, strict=True)
    ]


def _check_shape(batch: Batch) -> None:
    shape = (len(batch.starts_s), len(batch.columns))
    if batch.values.ndim != 3 or batch.values.shape[:2] != shape or not all(batch.values.shape[1:]) or shape[1] > 255:
        raise StoreError(
            f"a batch of {shape[0]} blocks with {shape[1]} columns cannot have values {batch.values.shape}"
        )
    for other in (batch.quality, batch.present):
        if other is not None and other.shape != batch.values.shape:
            raise StoreError(
                f"quality and presence have the shape of the values, {batch.values.shape}, not {other.shape}"
            )


def _totals(values: Integers, present: Flags | None) -> tuple[list[int], list[list[int]]]:
    blocks, channels, slots = values.shape
    if present is None:
        counts = [channels * slots] * blocks
    else:
        counts = present.sum(axis=(1, 2)).tolist()
        values = np.where(present, values, 0)
    if blocks and max(int(values.max()), -int(values.min())) > (1 << 62) // slots:
        values = values.astype(object)
    return counts, values.sum(axis=2).tolist()


def _bodies(batch: Batch, present: Flags | None) -> list[memoryview]:
    """What goes into the frames; blocks whose channels have the same forms are laid out together."""
    records, residuals = _encode(batch, present)
    bodies: list[memoryview] = [memoryview(b"")] * len(batch)
    forms = np.ascontiguousarray(records["form"])
    keys = forms.view(f"V{forms.shape[1]}").ravel()
    _, firsts, groups = np.unique(keys, return_index=True, return_inverse=True)
    for group, first in enumerate(firsts):
        rows = np.flatnonzero(groups == group)
        laid = np.concatenate(list(_parts(batch, present, records, residuals, rows, forms[first])), axis=1)
        flat, size = laid.data.cast("B"), laid.shape[1]
        for place, row in enumerate(rows.tolist()):
            bodies[row] = flat[place * size : (place + 1) * size]
    return bodies


def _encode(batch: Batch, present: Flags | None) -> tuple[np.ndarray, Wide]:
    """The channel records (B, C) and the values as unsigned distances from their base."""
    values = np.ascontiguousarray(batch.values)
    if present is not None:
        values, gapped = values.copy(), ~present.all(axis=(1, 2))
        values[gapped] = _filled(values[gapped], present[gapped])
    low = values.min(axis=2)
    spread = values.max(axis=2).view(np.uint64) - low.view(np.uint64)
    steps = np.diff(values, axis=2, prepend=values[:, :, :1])
    if steps.shape[2] > 1:
        steps[:, :, 0] = steps[:, :, 1]
    low_step = steps.min(axis=2)
    spread_step = steps.max(axis=2).view(np.uint64) - low_step.view(np.uint64)
    delta = (spread < _DELTA_LIMIT) & (spread_step < spread)
    reference = np.where(delta, low_step, low)
    residuals = np.where(delta[:, :, None], steps, values) if bool(delta.any()) else values
    residuals = residuals.view(np.uint64) - reference.view(np.uint64)[:, :, None]
    residuals[:, :, 0][delta] = 0
    records = np.zeros(low.shape, _RECORD)
    records["obis"] = [column.obis for column in batch.columns]
    records["unit"] = [column.unit for column in batch.columns]
    records["scaler"] = [column.scaler for column in batch.columns]
    records["base"] = np.where(delta, values[:, :, 0], low)
    records["step"] = np.where(delta, low_step, 0)
    widths = np.searchsorted(_BOUNDS, np.where(delta, spread_step, spread), side="left")
    records["form"] = widths + np.where(delta, _DELTA, 0)
    if present is not None:
        records["form"] += np.where(present.all(axis=2), 0, _GAPS).astype(np.uint8)
    if batch.quality is not None:
        records["quality"] = batch.quality[:, :, 0]
        varies = (batch.quality != batch.quality[:, :, :1]).any(axis=2)
        records["form"] += np.where(varies, _VARIES, 0).astype(np.uint8)
        records["quality"][varies] = 0
    return records, residuals


_BOUNDS: Final = np.array([0, 0xFF, 0xFFFF, 0xFFFFFFFF], dtype=np.uint64)


def _filled(values: Integers, present: Flags) -> Integers:
    """Missing slots take the value before them (the first present one at the start, 0 if there is none)."""
    last = np.where(present, np.arange(values.shape[2]), 0)
    np.maximum.accumulate(last, axis=2, out=last)
    np.maximum(last, np.asarray(present.argmax(axis=2))[:, :, None], out=last)
    return np.where(present.any(axis=2, keepdims=True), np.take_along_axis(values, last, axis=2), 0)


def _parts(
    batch: Batch, present: Flags | None, records: np.ndarray, residuals: Wide, rows: Integers, forms: Octets
) -> Iterator[Octets]:
    """The columns of octets of the blocks ``rows``, which all have these forms."""
    count, (channels, slots) = len(rows), batch.values.shape[1:]
    fixed = np.zeros(count, np.dtype([("start", "<i8"), ("interval", "<u4"), ("slots", "<u4"), ("channels", "u1")]))
    fixed["start"], fixed["interval"] = batch.starts_s[rows], batch.interval_s
    fixed["slots"], fixed["channels"] = slots, channels
    yield fixed.view(np.uint8).reshape(count, -1)
    yield records[rows].view(np.uint8).reshape(count, -1)
    for channel, form in enumerate(forms.tolist()):
        width = _WIDTHS[form & _WIDTH_BITS]
        if width:
            narrow = residuals[rows, channel].astype(f"<u{width}")
            yield narrow.view(np.uint8).reshape(count, slots, width).transpose(0, 2, 1).reshape(count, -1)
    for channel, form in enumerate(forms.tolist()):
        if form & _GAPS and present is not None:
            yield np.packbits(present[rows, channel], axis=1)
    for channel, form in enumerate(forms.tolist()):
        if form & _VARIES and batch.quality is not None:
            yield batch.quality[rows, channel]


def unpack(octets: bytes, digest: bytes | None = None) -> Block:
    """The block of packed octets; StoreError if they are damaged or do not have this ``digest``."""
    return unpacker()(octets, digest)


def unpacker() -> Callable[[bytes, bytes | None], Block]:
    """``unpack`` for many blocks in one thread: the decompressor is made once."""
    return partial(_unpack, zstandard.ZstdDecompressor().decompress)


def _unpack(decompress: Callable[[bytes], bytes], octets: bytes, digest: bytes | None) -> Block:
    if octets[:1] != _VERSION:
        raise StoreError(f"an interval block of format {octets[:1].hex() or 'nothing'}; this version reads format 01")
    frame = octets[1:]
    try:
        if zstandard.get_frame_parameters(frame).content_size > _LARGEST:
            raise StoreError("a damaged interval block: it claims to be larger than any block is")
        body = decompress(frame)
    except zstandard.ZstdError as error:
        raise StoreError(f"a damaged interval block: {error}") from None
    if digest is not None and blake2b(body, digest_size=16).digest() != digest:
        raise StoreError("a damaged interval block: its content does not have the digest of its row")
    try:
        return _parse(body)
    except (ValueError, IndexError, struct.error):
        raise StoreError("a damaged interval block: its parts do not fit its length") from None


def _parse(body: bytes) -> Block:
    start, interval, slots, count = _FIXED.unpack_from(body)
    if slots * max(count, 1) > _LARGEST // 8:
        raise StoreError("a damaged interval block: it claims to be larger than any block is")
    at = _FIXED.size + count * _RECORD_PLAIN.size
    records = list(_RECORD_PLAIN.iter_unpack(body[_FIXED.size : at]))
    numbers = []
    for _, _, _, form, _, base, step in records:
        width = _WIDTHS[form & _WIDTH_BITS]
        numbers.append(_decode(body[at : at + width * slots], slots, width, base, step if form & _DELTA else None))
        at += width * slots
    everywhere, gaps = np.ones(slots, np.bool_), []
    for record in records:
        if record[3] & _GAPS:
            size = (slots + 7) // 8
            gaps.append(np.unpackbits(np.frombuffer(body, np.uint8, size, at), count=slots).view(np.bool_))
            at += size
        else:
            gaps.append(everywhere)
    channels = []
    for (obis, unit, scaler, form, quality, _, _), values, present in zip(records, numbers, gaps, strict=True):
        if form & _VARIES:
            qualities = np.frombuffer(body, np.uint8, slots, at)
            at += slots
        else:
            qualities = _CONSTANT[quality : quality + 1].repeat(slots)
        if form & _GAPS:
            values[~present] = 0
        channels.append(Channel(column=_column(obis, unit, scaler), values=values, quality=qualities, present=present))
    if at != len(body):
        raise StoreError(f"a damaged interval block: {len(body) - at} octets left over")
    return Block(start_s=start, interval_s=interval, channels=tuple(channels))


_CONSTANT: Final = np.arange(256, dtype=np.uint8)


@lru_cache(maxsize=4096)
def _column(obis: bytes, unit: int, scaler: int) -> Column:
    return Column(obis=Obis(*obis), unit=unit, scaler=scaler)


def _decode(octets: bytes, slots: int, width: int, base: int, step: int | None) -> Integers:
    if width:
        planes = np.frombuffer(octets, np.uint8).reshape(width, slots)
        values = np.ascontiguousarray(planes.T).view(f"<u{width}").ravel().astype(np.int64)
    else:
        values = np.zeros(slots, np.int64)
    if step is None:
        values += base
        return values
    values += step
    values[0] = base
    return np.cumsum(values, out=values)
