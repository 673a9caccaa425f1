"""Firmware for all meters of the network: all blocks by broadcast, then what is missing, then verify, activate.

A broadcast costs the medium what a few meters cost one by one. After a pass over all blocks a few meters are asked
which they have: as long as a block is likely to lack at many, there is another pass. Then every meter is asked; a
block that many lack goes out by broadcast again, one that few lack goes to those alone. Verification and activation
are said to all at once, and each meter is asked what came of it. A campaign that is interrupted goes on by asking: the
meters keep their blocks.

Where the companion profile of meters has image parity (an option of ours, ``mapping.image_parity``), what goes out
again is parity and no block a second time: each meter lacks other blocks, and one symbol heals any of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from meterway.base.errors import ConfigError, MeterwayError
from meterway.nnap.broadcast import Broadcaster
from meterway.nnap.events import Code
from meterway.nnap.image_parity import ParityPlan, Symbol
from meterway.nnap.image_talk import (
    ACTIVATE,
    BLOCK,
    INITIATE,
    NOTHING,
    VERIFY,
    WANTS,
    Firmware,
    ImageTalk,
    Progress,
    Target,
)
from meterway.nnap.node import Node
from meterway.stacks.dlms.xdlms.parts import MethodDescriptor

if TYPE_CHECKING:
    from meterway.nnap.device import Concentrator

__all__ = ["Campaign", "CampaignRules", "Firmware", "Phase", "Progress"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRules:
    """How a campaign uses the medium.

    ``pace_s``: a broadcast each so often; it should be what one takes on the medium. ``initiates`` repeats the
    opening, since a meter that missed it takes no block. A block that ``many`` meters lack goes by broadcast. After a
    pass ``sample`` meters are asked, and there are ``passes`` at most. A meter that does not answer in ``tries`` rounds
    is given up.
    """

    pace_s: float = 1.5
    initiates: int = 6
    many: int = 4
    parallel: int = 2
    tries: int = 6
    most_rounds: int = 12
    sample: int = 12
    passes: int = 3
    activate_s: float = 0.0


class Campaign:
    """A worker of the concentrator. ``resumed``: the blocks went out before, so it begins by asking."""

    def __init__(
        self, device: Concentrator, broadcaster: Broadcaster, firmware: Firmware, nodes: Iterable[Node],
        rules: CampaignRules, *, now: float, resumed: bool = False,
    ) -> None:  # fmt: skip
        self.firmware = firmware
        self.targets = [Target(node) for node in nodes]
        if not firmware.image or not self.targets:
            raise ConfigError("an image and meters to give it to are wanted")
        self.passes = 0
        self.rounds = 0
        self.broadcasts = 0
        """Of all kinds, of which ``symbols`` were parity."""
        self.symbols = 0
        self.phase = Phase.ASKING if resumed else Phase.SENDING
        self._device = device
        self._broadcaster = broadcaster
        self._rules = rules
        self._parity = ParityPlan(firmware.count, rules.many)
        self._talk = ImageTalk(firmware, self._parity, lambda target, why: self._fail(target, self._due, why))
        self._air: deque[bytes | int | Symbol | MethodDescriptor] = deque()
        self._alone: deque[Target] = deque()
        self._running = 0
        self._due = now
        if resumed:
            self._ask_all()
        else:
            self._air.extend([firmware.opening] * rules.initiates)
            self._pass()
        device.log(now, Code.IMAGE_BEGAN, detail=firmware.identifier.decode("ascii", "replace"))

    @property
    def unicasts(self) -> int:
        """Blocks that went to one meter."""
        return self._talk.unicasts

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

    def _send(self, what: bytes | int | Symbol | MethodDescriptor, now: float) -> None:
        """A block, a parity symbol, the opening, or a method of all meters."""
        sender = self._broadcaster
        match what:
            case Symbol():
                value = self.firmware.symbol(self._parity.groups[what.group], what.number)
                apdu = sender.set(WANTS, value)
                self.symbols += 1
            case MethodDescriptor():
                apdu = sender.act(what, NOTHING)
            case bytes():
                apdu = sender.act(INITIATE, what)
            case _:
                apdu = sender.act(BLOCK, self.firmware.block(what))
        sender.send(self._device.station, apdu, now)
        self.broadcasts += 1

    # -- one meter at a time ------------------------------------------------------------------------------------

    def _visit(self, target: Target, now: float) -> None:
        script = {
            Phase.SAMPLING: self._talk.asking,
            Phase.ASKING: self._talk.asking,
            Phase.REPAIRING: self._talk.repairing,
            Phase.VERIFYING: self._talk.verifying,
            Phase.ACTIVATING: self._talk.activating,
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

    def _fail(self, target: Target, now: float, why: str) -> None:
        target.progress = Progress.FAILED
        self._device.log(now, Code.IMAGE_FAILED, target.node, why)

    # -- phases -----------------------------------------------------------------------------------------------

    def _of(self, *progress: Progress) -> list[Target]:
        return [target for target in self.targets if target.progress in progress]

    def _next_phase(self, now: float) -> None:
        if self.phase is Phase.ASKING:
            self._repair(now)
        elif self.phase is Phase.SENDING and self._samples():
            self.phase = Phase.SAMPLING
        elif self.phase is Phase.SAMPLING:
            self._after_sample()
        elif self.phase is Phase.SENDING:
            self._ask_all()
        elif self.phase is Phase.REPAIRING:
            self._ask_or_verify()
        elif self.phase is Phase.VERIFYING and not self._of(Progress.WHOLE) and self._of(Progress.LACKING):
            self._begin_again(now)
        elif self.phase is Phase.VERIFYING:
            self._again_or(Progress.WHOLE, Phase.WAITING)
        elif self.phase is Phase.WAITING:
            if now >= self._rules.activate_s:
                self.phase = Phase.ACTIVATING
                if not self._of(Progress.FAILED):
                    self._air.append(ACTIVATE)
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

    def _after_sample(self) -> None:
        """All blocks once more, if many are likely to lack any one of them; or parity; or none of both."""
        asked = [target for target in self.targets if target.asked]
        for target in asked:
            target.asked = False
        if self._likely_missing([target for target in asked if not target.parity]) >= self._rules.many:
            self.phase = Phase.SENDING
            self._pass()
            return
        symbols = self._parity.after_sample([target.wants for target in asked if target.parity])
        if symbols:
            self.phase = Phase.SENDING
            self.passes = self._rules.passes  # the next is to ask all
            self._air.extend(symbols)
        else:
            self._ask_all()

    def _likely_missing(self, asked: list[Target]) -> float:
        """How many of the meters without parity are likely to lack any one block, by those that were asked."""
        share = sum(len(target.missing) for target in asked) / (len(asked) * self.firmware.count) if asked else 0.0
        return share * sum(not target.parity for target in self.targets)

    def _ask_all(self) -> None:
        self.phase = Phase.ASKING
        self.rounds += 1
        lacking = self._of(Progress.LACKING)
        for target in lacking:
            target.told = False
        self._alone.extend(lacking)

    def _begin_again(self, now: float) -> None:
        """Some had nothing to verify, though they had all: they are asked what they have."""
        if self.rounds <= self._rules.most_rounds:
            self._ask_all()
            return
        for target in self._of(Progress.LACKING):
            self._fail(target, now, f"nothing verified after {self.rounds} rounds")

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
            self._air.append(VERIFY)
        self._alone.extend(whole)

    def _repair(self, now: float) -> None:
        """What many lack goes to all again, what few lack to those alone; who lacks nothing is verified."""
        lacking = self._of(Progress.LACKING)
        if not lacking:
            self._verify()
            return
        if self.rounds > self._rules.most_rounds:
            for target in lacking:
                missing = len(target.missing) + sum(target.wants)
                self._fail(target, now, f"{missing} blocks missing after {self.rounds} rounds")
            return
        lacking = [target for target in lacking if target.told]  # who did not answer is asked again
        wanted: dict[int, int] = {}
        for target in lacking:
            for number in target.missing:
                wanted[number] = wanted.get(number, 0) + 1
        by_all = {number for number, count in wanted.items() if count >= self._rules.many}
        self._air.extend(sorted(by_all))
        for target in lacking:
            target.awaits = bool(target.missing & by_all)
            target.missing -= by_all
        self._repair_by_parity([target for target in lacking if target.wants])
        self.phase = Phase.REPAIRING
        self._alone.extend(target for target in lacking if target.missing or any(target.wants))

    def _repair_by_parity(self, lacking: list[Target]) -> None:
        """Symbols for the groups of which many want some; what a meter wants of the others, it gets alone."""
        due = self._parity.after_asking([target.wants for target in lacking])
        for symbols in due.values():
            self._air.extend(symbols)
        for target in lacking:
            target.wants = bytes(0 if group in due else wants for group, wants in enumerate(target.wants))
