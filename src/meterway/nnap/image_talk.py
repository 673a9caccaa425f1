"""What the concentrator says to one meter of a firmware campaign, and what it learns of it.

Real services of class 18: opening, blocks, verification, activation, and its status. A meter with image parity also
tells how many blocks or symbols it wants of each group.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from meterway.base.erasure import parity
from meterway.base.obis import Obis
from meterway.mapping.image_parity import IMAGE_PARITY, ParitySymbol
from meterway.mapping.profile import load_profile
from meterway.nnap.image_parity import ParityPlan
from meterway.nnap.node import Node
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.dlms.client.script import Act, Answer, Ask, Get, GetList, Script
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "ACTIVATE", "BLOCK", "INITIATE", "NOTHING", "VERIFY", "WANTS",
    "Firmware", "ImageTalk", "Progress", "Target",
]  # fmt: skip

_IMAGE: Final = Obis(0, 0, 44, 0, 0)
INITIATE, BLOCK, VERIFY, ACTIVATE = (MethodDescriptor(18, _IMAGE, number) for number in range(1, 5))
_BLOCKS, _STATUS = (AttributeDescriptor(18, _IMAGE, number) for number in (3, 6))
WANTS: Final = AttributeDescriptor(1, IMAGE_PARITY, 2)
NOTHING: Final = axdr.encode(axdr.i8(0))


class Progress(Enum):
    """Where one meter stands."""

    LACKING = "lacking"
    WHOLE = "whole"
    VERIFIED = "verified"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """An image and its name; ``block_size`` is what the meters take."""

    identifier: bytes
    image: bytes
    block_size: int = 128

    @property
    def count(self) -> int:
        """How many blocks it has."""
        return -(-len(self.image) // self.block_size)

    def octets(self, number: int) -> bytes:
        """Those of one block; the last may be shorter."""
        return self.image[number * self.block_size : (number + 1) * self.block_size]

    def block(self, number: int) -> bytes:
        """The parameter of ``image_block_transfer``."""
        return axdr.encode(axdr.structure(axdr.u32(number), axdr.octets(self.octets(number))))

    def symbol(self, group: range, number: int) -> bytes:
        """What is written to the parity object for a symbol of the blocks of ``group``."""
        blocks = [self.octets(one).ljust(self.block_size, b"\0") for one in group]
        symbol = ParitySymbol(first=group.start, count=len(group), number=number, value=parity(blocks, number))
        return axdr.encode(symbol.encode())

    @property
    def opening(self) -> bytes:
        """The parameter of ``image_transfer_initiate``."""
        return axdr.encode(axdr.structure(axdr.octets(self.identifier), axdr.u32(len(self.image))))


class Target:
    """One meter of the campaign; ``missing`` are block numbers, as far as it was ``asked``.

    ``told``: it has said so since it was last to be asked; what it said before that may be half of it.

    ``awaits``: some that it lacks go to all again, so it has to be asked once more. One that has ``parity`` tells how
    much it ``wants`` of each group instead of what it misses.
    """

    __slots__ = ("asked", "awaits", "missing", "node", "parity", "progress", "silent", "told", "wants")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.progress = Progress.LACKING
        self.missing: set[int] = set()
        self.parity = IMAGE_PARITY in load_profile(node.profile).objects
        self.wants = b""
        self.silent = 0
        self.asked = self.awaits = self.told = False


class ImageTalk:
    """Scripts for the association with one meter. ``fail`` is told of a meter that cannot have the image, and why."""

    __slots__ = ("_fail", "_firmware", "_parity", "unicasts")

    def __init__(self, firmware: Firmware, plan: ParityPlan, fail: Callable[[Target, str], None]) -> None:
        self._firmware = firmware
        self._parity = plan
        self._fail = fail
        self.unicasts = 0
        """Blocks that went to one meter."""

    def asking(self, target: Target) -> Script[None]:
        """How the meter stands; one that has not begun is told to, and does not count as one that was asked."""
        status, told = yield from self._told(WANTS if target.parity else _BLOCKS)
        if target.parity and isinstance(told, DataAccessResult):  # its profile promises what it has not
            target.parity = False
            status, told = yield from self._told(_BLOCKS)
        have = axdr.decode_all(told).value if isinstance(told, bytes) and told else None
        count, began = self._firmware.count, _state(status) == ImageStatus.INITIATED
        if target.parity:
            began = began and isinstance(have, bytes) and len(have) == len(self._parity.groups)
            target.wants = have if began and isinstance(have, bytes) else self._parity.whole
            target.missing = set()
        else:
            began = began and isinstance(have, str) and len(have) == count
            bits = have if began and isinstance(have, str) else "0" * count
            target.missing = {number for number, bit in enumerate(bits) if bit == "0"}
        if not began:
            yield Act(INITIATE, self._firmware.opening)
        target.asked, target.told = began, True
        if not target.missing and not any(target.wants):
            target.progress = Progress.WHOLE

    @staticmethod
    def _told(what: AttributeDescriptor) -> Generator[Ask, Answer, tuple[object, object]]:
        """The status of the transfer and one attribute more, in one answer if the meter can do that."""
        answers = yield GetList(((_STATUS, None), (what, None)))
        if isinstance(answers, tuple) and len(answers) == 2:
            return answers
        return (yield Get(_STATUS)), (yield Get(what))

    def repairing(self, target: Target) -> Script[None]:
        """The blocks it misses, or so many of them as it wants."""
        if target.parity:
            target.missing = self._enough(target, (yield Get(_BLOCKS)))
        for number in sorted(target.missing):
            outcome = yield Act(BLOCK, self._firmware.block(number))
            self.unicasts += 1
            if not isinstance(outcome, ActionOutcome) or outcome.result is not ActionResult.SUCCESS:
                return
            target.missing.discard(number)
        if target.parity:
            yield from self.asking(target)
        elif not target.awaits:  # it has confirmed each of them: there is nothing to ask
            target.progress = Progress.WHOLE

    def _enough(self, target: Target, blocks: object) -> set[int]:
        """Of the blocks that a meter with parity lacks, as many of each group as it wants."""
        bits = axdr.decode_all(blocks).value if isinstance(blocks, bytes) and blocks else None
        if not isinstance(bits, str) or len(bits) != self._firmware.count:
            return set()
        found: set[int] = set()
        for group, wants in zip(self._parity.groups, target.wants, strict=True):
            found.update([number for number in group if bits[number] == "0"][:wants])
        return found

    def verifying(self, target: Target) -> Script[None]:
        """Whether it has verified the image; who was not told is told now."""
        state = _state((yield Get(_STATUS)))
        if state in (ImageStatus.INITIATED, ImageStatus.NOT_INITIATED):  # it missed what all were told
            yield Act(VERIFY, NOTHING)
            state = _state((yield Get(_STATUS)))
        if state == ImageStatus.VERIFICATION_SUCCESSFUL:
            target.progress = Progress.VERIFIED
        elif state in (ImageStatus.INITIATED, ImageStatus.NOT_INITIATED):  # it has lost what it had
            target.progress = Progress.LACKING
        elif state != ImageStatus.VERIFICATION_INITIATED:
            self._fail(target, f"verification: status {state!r}")

    def activating(self, target: Target) -> Script[None]:
        """Whether it runs the image; who was not told is told now."""
        state = _state((yield Get(_STATUS)))
        if state == ImageStatus.VERIFICATION_SUCCESSFUL:
            yield Act(ACTIVATE, NOTHING)
            state = _state((yield Get(_STATUS)))
        if state == ImageStatus.ACTIVATION_SUCCESSFUL:
            target.progress = Progress.ACTIVE
        elif state != ImageStatus.ACTIVATION_INITIATED:
            self._fail(target, f"activation: status {state!r}")


def _state(status: object) -> object:
    """The image transfer status of an answer; None for a refusal."""
    return axdr.decode_all(status).value if isinstance(status, bytes) and status else None
