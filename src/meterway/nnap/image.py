"""Firmware for all meters of the network: all blocks by broadcast, then what is missing, then verify, activate.

A broadcast costs the medium what a few meters cost one by one. After a pass over all blocks a few meters are asked
which they have: as long as a block is likely to lack at many, there is another pass. Then every meter is asked; a
block that many lack goes out by broadcast again, one that few lack goes to those alone. Verification and activation
are said to all at once, and each meter is asked what came of it. A campaign that is interrupted goes on by asking: the
meters keep their blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from meterway.base.errors import ConfigError, MeterwayError
from meterway.base.obis import Obis
from meterway.nnap.broadcast import Broadcaster
from meterway.nnap.events import Code
from meterway.nnap.node import Node
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.dlms.client.script import Act, Get, GetList, Script
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.dlms.xdlms.results import ActionResult

if TYPE_CHECKING:
    from meterway.nnap.device import Concentrator

__all__ = ["Campaign", "CampaignRules", "Firmware", "Phase", "Progress"]

_IMAGE: Final = Obis(0, 0, 44, 0, 0)
_INITIATE, _BLOCK, _VERIFY, _ACTIVATE = (MethodDescriptor(18, _IMAGE, number) for number in range(1, 5))
_BLOCKS, _STATUS = (AttributeDescriptor(18, _IMAGE, number) for number in (3, 6))
_NOTHING: Final = axdr.encode(axdr.i8(0))


class Phase(Enum):
    """Where a campaign stands."""

    SENDING = "sending"
    SAMPLING = "sampling"
    ASKING = "asking"
    REPAIRING = "repairing"
    VERIFYING = "verifying"
    WAITING = "waiting"
    """For the time of activation."""
    ACTIVATING = "activating"
    DONE = "done"


class Progress(Enum):
    """Where one meter stands."""

    LACKING = "lacking"
    WHOLE = "whole"
    VERIFIED = "verified"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRules:
    """How a campaign uses the medium.

    ``pace_s``: a broadcast each so often; it should be what one takes on the medium. ``initiates`` repeats the
    opening, since a meter that missed it takes no block. A block that ``many`` meters lack goes by broadcast. After a
    pass ``sample`` meters are asked, and there are ``passes`` at most. A meter that does not answer in ``tries`` rounds
    is given up.
    """

    pace_s: float = 1.5
    initiates: int = 3
    many: int = 4
    parallel: int = 2
    tries: int = 6
    most_rounds: int = 12
    sample: int = 12
    passes: int = 3
    activate_s: float = 0.0


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

    def block(self, number: int) -> bytes:
        """The parameter of ``image_block_transfer``."""
        part = self.image[number * self.block_size : (number + 1) * self.block_size]
        return axdr.encode(axdr.structure(axdr.u32(number), axdr.octets(part)))

    @property
    def opening(self) -> bytes:
        """The parameter of ``image_transfer_initiate``."""
        return axdr.encode(axdr.structure(axdr.octets(self.identifier), axdr.u32(len(self.image))))


class _Target:
    """One meter of the campaign; ``missing`` are block numbers, as far as it was ``asked``.

    ``awaits``: some that it lacks go to all again, so it has to be asked once more.
    """

    __slots__ = ("asked", "awaits", "missing", "node", "progress", "silent")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.progress = Progress.LACKING
        self.missing: set[int] = set()
        self.silent = 0
        self.asked = self.awaits = False


class Campaign:
    """A worker of the concentrator. ``resumed``: the blocks went out before, so it begins by asking."""

    def __init__(
        self, device: Concentrator, broadcaster: Broadcaster, firmware: Firmware, nodes: Iterable[Node],
        rules: CampaignRules, *, now: float, resumed: bool = False,
    ) -> None:  # fmt: skip
        self.firmware = firmware
        self.targets = [_Target(node) for node in nodes]
        if not firmware.image or not self.targets:
            raise ConfigError("an image and meters to give it to are wanted")
        self.passes = 0
        self.rounds = 0
        self.broadcasts = 0
        self.unicasts = 0
        self.phase = Phase.ASKING if resumed else Phase.SENDING
        self._device = device
        self._broadcaster = broadcaster
        self._rules = rules
        self._air: deque[bytes | int | MethodDescriptor] = deque()
        self._alone: deque[_Target] = deque()
        self._running = 0
        self._due = now
        if resumed:
            self._ask_all()
        else:
            self._air.extend([firmware.opening] * rules.initiates)
            self._pass()
        device.log(now, Code.IMAGE_BEGAN, detail=firmware.identifier.decode("ascii", "replace"))

    @property
    def progress(self) -> dict[str, Progress]:
        """How each meter stands, by serial."""
        return {target.node.serial: target.progress for target in self.targets}

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return None if self.phase is Phase.DONE else self._due

    def handle_timeout(self, now: float) -> None:
        """Send the next broadcast, ask the next meter, or go on to the next phase."""
        if self._air:
            self._send(self._air.popleft(), now)
            self._due = now + self._rules.pace_s
            return
        while self._alone and self._running < self._rules.parallel:
            self._visit(self._alone.popleft(), now)
        if not self._alone and not self._running:
            self._next_phase(now)
        self._due = now + self._rules.pace_s

    def _send(self, what: bytes | int | MethodDescriptor, now: float) -> None:
        """A block, the opening, or a method of all meters."""
        if isinstance(what, MethodDescriptor):
            method, parameter = what, _NOTHING
        else:
            method, parameter = (_INITIATE, what) if isinstance(what, bytes) else (_BLOCK, self.firmware.block(what))
        self._broadcaster.send(self._device.station, self._broadcaster.act(method, parameter), now)
        self.broadcasts += 1

    # -- one meter at a time ------------------------------------------------------------------------------------

    def _visit(self, target: _Target, now: float) -> None:
        script = {
            Phase.SAMPLING: self._asking,
            Phase.ASKING: self._asking,
            Phase.REPAIRING: self._repairing,
            Phase.VERIFYING: self._verifying,
            Phase.ACTIVATING: self._activating,
        }[self.phase](target)
        self._running += 1

        def done(error: MeterwayError | None, at: float) -> None:
            self._running -= 1
            self._due = at
            target.silent = target.silent + 1 if error is not None else 0
            if target.silent >= self._rules.tries:
                self._fail(target, at, "no answer")

        try:
            self._device.ask(target.node, script, done, now=now, urgent=False)
        except MeterwayError as error:
            done(error, now)

    def _fail(self, target: _Target, now: float, why: str) -> None:
        target.progress = Progress.FAILED
        self._device.log(now, Code.IMAGE_FAILED, target.node, why)

    def _asking(self, target: _Target) -> Script[None]:
        answers = yield GetList(((_STATUS, None), (_BLOCKS, None)))
        if not isinstance(answers, tuple) or len(answers) != 2:  # it has no such service
            answers = (_data((yield Get(_STATUS))), _data((yield Get(_BLOCKS))))
        status, blocks = answers
        have = axdr.decode_all(blocks).value if isinstance(blocks, bytes) and blocks else ""
        count = self.firmware.count
        if _state(status) != ImageStatus.INITIATED or not isinstance(have, str) or len(have) != count:
            yield Act(_INITIATE, self.firmware.opening)
            target.missing = set(range(count))
        else:
            target.missing = {number for number, bit in enumerate(have) if bit == "0"}
        target.asked = True
        if not target.missing:
            target.progress = Progress.WHOLE

    def _repairing(self, target: _Target) -> Script[None]:
        for number in sorted(target.missing):
            outcome = yield Act(_BLOCK, self.firmware.block(number))
            self.unicasts += 1
            if not isinstance(outcome, ActionOutcome) or outcome.result is not ActionResult.SUCCESS:
                return
            target.missing.discard(number)
        if not target.awaits:  # it has confirmed each of them: there is nothing to ask
            target.progress = Progress.WHOLE

    def _verifying(self, target: _Target) -> Script[None]:
        state = _state((yield Get(_STATUS)))
        if state in (ImageStatus.INITIATED, ImageStatus.NOT_INITIATED):  # it missed what all were told
            yield Act(_VERIFY, _NOTHING)
            state = _state((yield Get(_STATUS)))
        if state == ImageStatus.VERIFICATION_SUCCESSFUL:
            target.progress = Progress.VERIFIED
        elif state != ImageStatus.VERIFICATION_INITIATED:
            self._fail(target, self._due, f"verification: status {state!r}")

    def _activating(self, target: _Target) -> Script[None]:
        state = _state((yield Get(_STATUS)))
        if state == ImageStatus.VERIFICATION_SUCCESSFUL:
            yield Act(_ACTIVATE, _NOTHING)
            state = _state((yield Get(_STATUS)))
        if state == ImageStatus.ACTIVATION_SUCCESSFUL:
            target.progress = Progress.ACTIVE
        elif state != ImageStatus.ACTIVATION_INITIATED:
            self._fail(target, self._due, f"activation: status {state!r}")

    # -- phases -----------------------------------------------------------------------------------------------

    def _of(self, *progress: Progress) -> list[_Target]:
        return [target for target in self.targets if target.progress in progress]

    def _next_phase(self, now: float) -> None:
        if self.phase is Phase.ASKING:
            self._repair(now)
        elif self.phase is Phase.SENDING and self._samples():
            self.phase = Phase.SAMPLING
        elif self.phase is Phase.SAMPLING and self._likely_missing() >= self._rules.many:
            self.phase = Phase.SENDING
            self._pass()
        elif self.phase in (Phase.SENDING, Phase.SAMPLING):
            self._ask_all()
        elif self.phase is Phase.REPAIRING:
            self._ask_or_verify()
        elif self.phase is Phase.VERIFYING:
            self._again_or(Progress.WHOLE, Phase.WAITING)
        elif self.phase is Phase.WAITING:
            if now >= self._rules.activate_s:
                self.phase = Phase.ACTIVATING
                if not self._of(Progress.FAILED):
                    self._air.append(_ACTIVATE)
                self._alone.extend(self._of(Progress.VERIFIED))
        elif self.phase is Phase.ACTIVATING and self._again_or(Progress.VERIFIED, Phase.DONE):
            active = len(self._of(Progress.ACTIVE))
            self._device.log(now, Code.IMAGE_DONE, detail=f"{active} of {len(self.targets)} meters")

    def _again_or(self, progress: Progress, phase: Phase) -> bool:
        """Those that did not answer are visited again; when there are none, the next phase begins (True)."""
        left = self._of(progress)
        if left:
            self._alone.extend(left)
        else:
            self.phase = phase
        return not left

    def _pass(self) -> None:
        self.passes += 1
        self._air.extend(range(self.firmware.count))

    def _samples(self) -> bool:
        """Ask a few, evenly spread over the list, if there are many more than those and another pass may be."""
        targets, few = self.targets, self._rules.sample
        if self.passes >= self._rules.passes or len(targets) < 2 * few:
            return False
        self._alone.extend(targets[place * len(targets) // few] for place in range(few))
        return True

    def _likely_missing(self) -> float:
        """How many meters are likely to lack any one block, by those that were asked."""
        asked = [target for target in self.targets if target.asked]
        share = sum(len(target.missing) for target in asked) / (len(asked) * self.firmware.count) if asked else 0.0
        for target in asked:
            target.asked = False
        return share * len(self.targets)

    def _ask_all(self) -> None:
        self.phase = Phase.ASKING
        self.rounds += 1
        self._alone.extend(self._of(Progress.LACKING))

    def _ask_or_verify(self) -> None:
        if self._of(Progress.LACKING):
            self._ask_all()
        else:
            self._verify()

    def _verify(self) -> None:
        """Tell all at once; a meter that misses it is told when it is asked."""
        self.phase = Phase.VERIFYING
        whole = self._of(Progress.WHOLE)
        if len(whole) > 1:
            self._air.append(_VERIFY)
        self._alone.extend(whole)

    def _repair(self, now: float) -> None:
        """What many lack goes to all again, what few lack to those alone; who lacks nothing is verified."""
        lacking = self._of(Progress.LACKING)
        if not lacking:
            self._verify()
            return
        if self.rounds > self._rules.most_rounds:
            for target in lacking:
                self._fail(target, now, f"{len(target.missing)} blocks missing after {self.rounds} rounds")
            return
        wanted: dict[int, int] = {}
        for target in lacking:
            for number in target.missing:
                wanted[number] = wanted.get(number, 0) + 1
        by_all = {number for number, count in wanted.items() if count >= self._rules.many}
        self._air.extend(sorted(by_all))
        for target in lacking:
            target.awaits = bool(target.missing & by_all)
            target.missing -= by_all
        self.phase = Phase.REPAIRING
        self._alone.extend(target for target in lacking if target.missing)


def _data(answer: object) -> bytes:
    return answer if isinstance(answer, bytes) else b""


def _state(status: object) -> object:
    """The image transfer status of an answer; None for a refusal."""
    return axdr.decode_all(status).value if isinstance(status, bytes) and status else None
