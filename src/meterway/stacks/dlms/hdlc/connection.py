"""The HDLC engine: both sides of a data link in normal response mode (IEC 62056-46).

The primary (client) opens the link and owns the right to send; the poll bit lends it to the secondary (server),
the final bit gives it back. What happens in which state is in ``states.TABLE``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar, Final

from meterway.base.engine import QueuingEngine
from meterway.base.errors import DecodeError, LinkError, LocalProtocolError, MeterwayError, RemoteProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent, Noticed, Role
from meterway.stacks.dlms.hdlc.address import HdlcAddress, client_address
from meterway.stacks.dlms.hdlc.frame import POLL_FINAL, FrameKind, HdlcFrame, encode_frame
from meterway.stacks.dlms.hdlc.parameters import HdlcParameters
from meterway.stacks.dlms.hdlc.segments import Reassembler, SendWindow, Sequence, judge, llc_of, segments_of, strip_llc
from meterway.stacks.dlms.hdlc.states import HEARD_BY, TABLE, Action, Call, State
from meterway.stacks.dlms.hdlc.stream import Deframer, Found

__all__ = ["HdlcFraming"]

_LLC_SIZE: Final = 3
_SAFE_WINDOW: Final = 3
"""Frames sent in one turn at most, whatever was agreed: with numbers modulo 8, a late copy of an acknowledgement from
the turn before cannot then be taken for a new one."""


class _Wait(Enum):
    NOTHING = 0
    ANSWER = 1
    """The primary handed over the right to send and waits for a frame."""
    POLL = 2
    """The primary asks again later: the secondary has no answer yet or is busy."""
    HOLD = 3
    """The secondary has the right to send and waits for its application's answer."""


class HdlcFraming(QueuingEngine[FramingEvent]):
    """A ``Framing`` over HDLC, as primary (``Role.CLIENT``) or secondary (``Role.SERVER``).

    ``max_info_*`` (octets) and ``window_*`` (frames) are proposed by the client in SNRM and cut down by the server in
    UA; no more than three frames are sent in one turn. A primary without an answer for ``response_timeout_s`` sends
    again, ``retries`` times, then ``Disconnected(LinkError)``; it polls a secondary that has no answer yet for up to
    ``answer_timeout_s``. A secondary drops a client it has not heard for ``inactivity_timeout_s`` and says "not yet"
    after ``hold_s``. A frame that stops coming for ``octet_gap_s`` is given up. ``max_apdu`` bounds reassembly.

    A secondary learns the client's address from SNRM and serves one client after the other; a second one is told DM.
    Noticed kinds: those of ``stream.Found``, and ``address``, ``echo``, ``retransmission``, ``sequence``,
    ``unexpected``, ``parameters``, ``llc``, ``busy``, ``no-answer``, ``closed``, ``retry``, ``rejected``.
    """

    def __init__(
        self,
        *,
        role: Role,
        server: HdlcAddress,
        client: int = 16,
        max_info_tx: int = 128,
        max_info_rx: int = 128,
        window_tx: int = 1,
        window_rx: int = 1,
        response_timeout_s: float = 3.0,
        retries: int = 3,
        inactivity_timeout_s: float = 120.0,
        answer_timeout_s: float = 30.0,
        hold_s: float = 1.0,
        poll_delay_s: float = 0.2,
        octet_gap_s: float = 1.0,
        max_apdu: int = 0xFFFF,
    ) -> None:
        super().__init__()
        self.parameters = self._own_parameters = HdlcParameters(
            max_info_tx=max_info_tx, max_info_rx=max_info_rx, window_tx=window_tx, window_rx=window_rx
        )
        self.state = State.CLOSED
        self._role = role
        self._server = server
        self._client = client_address(client)
        self._response_timeout = response_timeout_s
        self._retries = retries
        self._inactivity_timeout = inactivity_timeout_s
        self._answer_timeout = answer_timeout_s
        self._hold = hold_s
        self._poll_delay = poll_delay_s
        self._octet_gap = octet_gap_s
        self._max_apdu = max_apdu
        self._deframer = Deframer()
        self._last_octet = self._last_frame = 0.0
        self._unnumbered = Reassembler(max_apdu + _LLC_SIZE)
        self._reason: MeterwayError | None = None
        self._own, self._peer = (self._client, server) if role is Role.CLIENT else (server, self._client)
        self._pair = (self._own, self._peer)
        self._addresses = self._peer.encode() + self._own.encode()
        self._linked = False
        self._begin()

    def _begin(self) -> None:
        """Start numbering at zero with nothing under way; the primary has the right to send."""
        self._window = SendWindow(min(self.parameters.window_tx, _SAFE_WINDOW))
        self._reassembler = Reassembler(self._max_apdu + _LLC_SIZE)
        self._expected = 0
        self._turn = self._role is Role.CLIENT
        self._peer_busy = False
        self._asked = False
        self._asked_at = 0.0
        self._attempts = 0
        self._wait = _Wait.NOTHING
        self._due = 0.0

    # ---- what the upper side calls

    def connect(self, now: float) -> None:
        """Open the data link with SNRM; ``Connected`` or ``Disconnected`` follows. LocalProtocolError for a server."""
        if self._role is Role.SERVER:
            raise LocalProtocolError("only the client opens an HDLC link")
        self._call(Call.CONNECT, now)

    def disconnect(self, now: float) -> None:
        """Close the data link: the client with DISC, the server by answering DM from now on; Disconnected follows."""
        self._call(Call.DISCONNECT if self._role is Role.CLIENT else Call.LEAVE, now)

    def send(self, apdu: bytes, now: float) -> None:
        """Send an APDU in as many segments as it needs; without an open link only ``Noticed("closed")`` follows."""
        if self.state is not State.OPEN:
            self._note("closed", "an APDU was to be sent on a data link that is not open", apdu)
            return
        self._window.put(llc_of(self._role) + apdu, self.parameters.max_info_tx)
        self._asked, self._asked_at = self._role is Role.CLIENT, now
        if self._turn:
            self._speak(now)

    def send_unnumbered(self, apdu: bytes, *, client: int | None = None) -> None:
        """Send an APDU in UI frames, without a link and unacknowledged: a push, to ``client`` or the usual peer."""
        addresses = self._addresses
        if client is not None and self._role is Role.SERVER:
            addresses = client_address(client).encode() + self._own.encode()
        for information, more in segments_of(llc_of(self._role) + apdu, self._own_parameters.max_info_tx):
            self._out.append(encode_frame(addresses, FrameKind.UI.value, information, segmented=more))

    # ---- the shape of an engine

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        if not data:
            self._found(self._deframer.flush(), now)
            self._reason = LinkError("the line was closed without DISC")
            self._call(Call.LINE_CLOSED, now)
            return
        if self._deframer.waiting and now - self._last_octet > self._octet_gap:
            self._found(self._deframer.flush(), now)
        self._last_octet = now
        self._found(self._deframer.feed(data), now)

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        due = None if self._wait is _Wait.NOTHING else self._due
        if self._listens:
            silence = self._last_frame + self._inactivity_timeout
            due = silence if due is None else min(due, silence)
        return due

    def handle_timeout(self, now: float) -> None:
        """Send again, poll, say "not yet" or give up, whichever is due."""
        if self._wait is _Wait.ANSWER and now >= self._due:
            self._found(self._deframer.flush(), now)
        if self._wait is not _Wait.NOTHING and now >= self._due:
            if self._wait is _Wait.ANSWER:
                self._again(now)
            else:
                self._say_ready(now)
        if self._listens and now >= self._last_frame + self._inactivity_timeout:
            self._give_up(LinkError(f"client {self._peer} was silent for {self._inactivity_timeout:g} s"), now)

    @property
    def _listens(self) -> bool:
        """Whether this is a secondary that minds its primary's silence."""
        return self._role is Role.SERVER and self.state in (State.OPEN, State.REJECTING)

    # ---- inputs to the table

    def _call(self, call: Call, now: float) -> None:
        self.state, action = TABLE[self.state][call]
        if action is Action.SEND_SNRM or action is Action.SEND_DISC:
            self._begin()
            self._command(now)
        elif action is Action.END:
            self._down(None)
        elif action is Action.FAIL:
            self._down(self._reason)

    def _give_up(self, reason: MeterwayError, now: float) -> None:
        self._reason = reason
        self._call(Call.GIVE_UP, now)

    def _found(self, found: list[Found], now: float) -> None:
        for _, octets, frame, error in found:
            if frame is not None:
                self._frame(frame, octets, now)
            elif error is not None:
                self._note(error.kind, error.message, octets)

    def _frame(self, frame: HdlcFrame, octets: bytes, now: float) -> None:
        own, peer = self._pair
        if (frame.destination is not own or frame.source is not peer) and not self._is_for_us(frame, octets):
            return
        kind = frame.kind
        if kind not in HEARD_BY[self._role]:
            self._note("unexpected", f"a {kind.name} frame is not for this side", octets)
            return
        if kind is FrameKind.I and self._listens and len(frame.information) > self.parameters.max_info_rx:
            kind = FrameKind.UNKNOWN
        self._last_frame = now
        self.state, action = TABLE[self.state][kind]
        self._ON_FRAME[action](self, frame, now)

    def _is_for_us(self, frame: HdlcFrame, octets: bytes) -> bool:
        """Sort out frames of other stations, our own echo, and clients that come while another one is served."""
        destination, source = frame.destination, frame.source
        if source == self._own and destination == self._peer and self._own != self._peer:
            self._note("echo", "an own frame came back", octets)
            return False
        ours = destination.reaches(self._own) and (self._role is Role.SERVER or source.reaches(self._peer))
        if not ours or (destination.to_all and frame.kind is not FrameKind.UI):
            self._note("address", f"a frame from {source} to {destination} is not for this station", octets)
            return False
        if self._listens and source != self._peer:
            return self._is_unlinked(frame, octets)
        self._pair = (destination, source)
        return True

    def _is_unlinked(self, frame: HdlcFrame, octets: bytes) -> bool:
        """What another client may send meanwhile: unnumbered information; anything else is turned away with DM."""
        if frame.kind is FrameKind.UI:
            return True
        self._note("busy", f"client {frame.source} came while client {self._peer} is served", octets)
        if frame.poll_final:
            self._answer(frame, FrameKind.DM)
        return False

    # ---- actions on frames

    def _notice(self, frame: HdlcFrame, now: float) -> None:
        self._note("unexpected", f"a {frame.kind.name} frame does not fit the state {self.state.value}")

    def _accept(self, frame: HdlcFrame, now: float) -> None:
        """SNRM: agree, answer UA."""
        if self._linked:
            self._down(LinkError(f"client {frame.source} opened the link anew"), State.OPEN)
        self._peer = frame.source
        self._addresses = frame.source.encode() + frame.destination.encode()
        self._agree(frame, now)
        told = frame.information or self.parameters != HdlcParameters()
        self._out.append(
            encode_frame(self._addresses, FrameKind.UA.value | POLL_FINAL, self.parameters.encode() if told else b"")
        )

    def _agree(self, frame: HdlcFrame, now: float) -> None:
        """SNRM or UA: what the other side says, cut down to what this side can."""
        try:
            other = HdlcParameters.decode(Reader(frame.information))
        except DecodeError as error:
            self._note("parameters", error.message, frame.information)
            other = HdlcParameters()
        self.parameters = self._own_parameters.agree(other)
        self._begin()
        self._linked = True
        self._events.append(Connected())

    def _release(self, frame: HdlcFrame, now: float) -> None:
        self._answer(frame, FrameKind.UA)
        self._down(None)

    def _refuse(self, frame: HdlcFrame, now: float) -> None:
        """Answer DM where an answer is asked for; a primary has no such frame and only notices."""
        if self._role is Role.SERVER and frame.poll_final:
            self._answer(frame, FrameKind.DM)
        else:
            self._notice(frame, now)

    def _lost(self, frame: HdlcFrame, now: float) -> None:
        if frame.kind is FrameKind.DM:
            self._down(LinkError(f"server {frame.source} is disconnected (DM)"))
        else:
            self._down(RemoteProtocolError(f"server {frame.source} rejected a frame (FRMR {frame.information.hex()})"))

    def _released(self, frame: HdlcFrame, now: float) -> None:
        self._down(None)

    def _reject(self, frame: HdlcFrame, now: float) -> None:
        """FRMR with the control field at fault, V(R) and V(S), and what is wrong with it."""
        fault = 0x01 if frame.kind is FrameKind.UNKNOWN else 0x04
        variables = self._expected << 5 | self._window.next << 1
        self._note("rejected", f"a frame with control {frame.control:02X} was rejected")
        self._answer(frame, FrameKind.FRMR, bytes((frame.control, variables, fault)))

    def _deliver_unnumbered(self, frame: HdlcFrame, now: float) -> None:
        try:
            whole = self._unnumbered.add(frame.information, more=frame.segmented)
        except RemoteProtocolError as error:
            self._note("length", str(error))
            return
        if whole is not None:
            client, server = frame.destination.logical, frame.source.logical
            if self._role is Role.SERVER:
                client, server = server, client
            self._deliver(whole, client, server)

    def _take(self, frame: HdlcFrame, now: float) -> None:
        """I, RR, RNR: settle what is acknowledged, collect what is new, then speak if it is this side's turn."""
        acknowledged = self._window.acknowledge(frame.receive_sequence)
        if acknowledged < 0:
            self._note("sequence", f"N(R) {frame.receive_sequence} acknowledges what was never sent")
            return
        was_busy, self._peer_busy = self._peer_busy, frame.kind is FrameKind.RNR
        verdict = self._judge(frame) if frame.kind is FrameKind.I else None
        whole = self._collect(frame, now) if verdict is Sequence.NEW else False
        if self.state is not State.OPEN:
            return
        fresh = acknowledged > 0 or verdict is Sequence.NEW
        if fresh:
            self._attempts = 0
        if not frame.poll_final:
            if fresh and self._wait is _Wait.ANSWER:
                self._due = now + self._response_timeout
        elif self._role is Role.SERVER:
            self._turn = True
            self._speak(now, answer=not whole)
        elif fresh or self._is_answer(verdict, was_busy=was_busy):
            self._resume(now, verdict)

    def _judge(self, frame: HdlcFrame) -> Sequence:
        verdict = judge(frame.send_sequence, self._expected, self.parameters.window_rx)
        if verdict is Sequence.AGAIN:
            self._note("retransmission", f"frame {frame.send_sequence} came again", frame.information)
        elif verdict is Sequence.GAP:
            self._note("sequence", f"frame {frame.send_sequence} came instead of {self._expected}", frame.information)
        return verdict

    def _is_answer(self, verdict: Sequence | None, *, was_busy: bool) -> bool:
        """Whether a frame without news can be the answer to what the primary sent last.

        With one frame under way it cannot: it is a late copy, and to react to it would double every frame from now on.
        """
        if self._wait is not _Wait.ANSWER or verdict is Sequence.AGAIN:
            return False
        return verdict is Sequence.GAP or self._peer_busy or was_busy or self._window.flying != 1

    def _resume(self, now: float, verdict: Sequence | None) -> None:
        """The primary has the right to send back."""
        self._turn = True
        self._wait = _Wait.NOTHING
        if verdict is Sequence.GAP or (self._window.flying and not self._peer_busy):
            self._attempts += 1
            if self._attempts > self._retries:
                self._give_up(LinkError(f"server {self._peer} never got all frames of a window"), now)
                return
        elif (self._asked or self._peer_busy) and now - self._asked_at > self._answer_timeout:
            self._note("no-answer", f"server {self._peer} had no answer for {self._answer_timeout:g} s")
            self._asked = False
            return
        self._speak(now, answer=self._reassembler.begun or verdict is Sequence.GAP)

    def _collect(self, frame: HdlcFrame, now: float) -> bool:
        """Take the next segment in; whether it made an APDU whole."""
        self._expected = (self._expected + 1) % 8
        try:
            whole = self._reassembler.add(frame.information, more=frame.segmented)
        except RemoteProtocolError as error:
            self._give_up(error, now)
            return False
        if whole is None:
            return False
        self._asked = False
        self._deliver(whole, self._client_number, self._server.logical)
        return True

    @property
    def _client_number(self) -> int:
        return self._peer.logical if self._role is Role.SERVER else self._own.logical

    def _deliver(self, octets: bytes, client: int, server: int) -> None:
        apdu, headed = strip_llc(octets)
        if not headed:
            self._note("llc", "an APDU without its LLC header", octets)
        if apdu:
            self._events.append(ApduReceived(apdu=apdu, client=client, server=server))

    # ---- sending

    def _speak(self, now: float, *, answer: bool = False) -> None:
        """Use the right to send: data if there is any, else RR if ``answer`` must be given, else wait for data."""
        burst = [] if self._peer_busy else self._window.burst()
        if burst:
            last = len(burst) - 1
            received = self._expected << 5
            for index, (number, (information, more)) in enumerate(burst):
                control = received | number << 1 | (POLL_FINAL if index == last else 0)
                self._out.append(encode_frame(self._addresses, control, information, segmented=more))
            self._hand_over(now)
        elif answer:
            self._say_ready(now)
        elif self._role is Role.SERVER:
            self._wait, self._due = _Wait.HOLD, now + self._hold
        elif self._asked or self._peer_busy:
            if self._wait is not _Wait.POLL:
                self._wait, self._due = _Wait.POLL, now + self._poll_delay
        else:
            self._wait = _Wait.NOTHING

    def _say_ready(self, now: float) -> None:
        control = FrameKind.RR.value | POLL_FINAL | self._expected << 5
        self._out.append(encode_frame(self._addresses, control))
        self._hand_over(now)

    def _hand_over(self, now: float) -> None:
        self._turn = False
        if self._role is Role.CLIENT:
            self._wait, self._due = _Wait.ANSWER, now + self._response_timeout
        else:
            self._wait = _Wait.NOTHING

    def _command(self, now: float) -> None:
        """SNRM or DISC, by state."""
        if self.state is State.OPENING:
            own = self._own_parameters
            information = b"" if own == HdlcParameters() else own.encode()
            self._out.append(encode_frame(self._addresses, FrameKind.SNRM.value | POLL_FINAL, information))
        else:
            self._out.append(encode_frame(self._addresses, FrameKind.DISC.value | POLL_FINAL))
        self._hand_over(now)

    def _again(self, now: float) -> None:
        """No answer in time: the same once more, or the end."""
        self._attempts += 1
        if self._attempts > self._retries:
            self._give_up(LinkError(f"server {self._peer} did not answer {self._attempts} times"), now)
            return
        self._note("retry", f"no answer within {self._response_timeout:g} s, sent again")
        if self.state is State.OPEN:
            self._peer_busy = False
            self._speak(now, answer=True)
        else:
            self._command(now)

    def _answer(self, frame: HdlcFrame, kind: FrameKind, information: bytes = b"") -> None:
        """An unnumbered response to whoever sent ``frame``."""
        addresses = frame.source.encode() + frame.destination.encode()
        final = POLL_FINAL if frame.poll_final else 0
        self._out.append(encode_frame(addresses, kind.value | final, information))

    # ---- events

    def _down(self, error: MeterwayError | None, state: State = State.CLOSED) -> None:
        self.state = state
        self._linked = False
        self._begin()
        self._events.append(Disconnected(error=error))

    def _note(self, kind: str, message: str, octets: bytes = b"") -> None:
        self._events.append(Noticed(kind=kind, message=message, octets=octets))

    _ON_FRAME: ClassVar[dict[Action, Callable[[HdlcFraming, HdlcFrame, float], None]]] = {
        Action.NOTICE: _notice,
        Action.ACCEPT: _accept,
        Action.AGREE: _agree,
        Action.RELEASE: _release,
        Action.REFUSE: _refuse,
        Action.LOST: _lost,
        Action.RELEASED: _released,
        Action.TAKE: _take,
        Action.DELIVER: _deliver_unnumbered,
        Action.REJECT: _reject,
    }
