"""The client engine: one association with one device, requests one after the other."""

from __future__ import annotations

from meterway.base.errors import (
    DecodeError,
    LinkError,
    LocalProtocolError,
    MeterwayError,
    RemoteProtocolError,
    SecurityError,
)
from meterway.stacks.dlms.acse.apdu import Rlre, Rlrq
from meterway.stacks.dlms.apdu import apdu_name, decode_apdu
from meterway.stacks.dlms.association import State, Step, step
from meterway.stacks.dlms.client.events import ClientEvent, Failed, PushReceived, Quirk, Released
from meterway.stacks.dlms.client.opening import Opening
from meterway.stacks.dlms.client.requests import (
    ActionListRequest,
    ActionRequest,
    Call,
    GetListRequest,
    GetRequest,
    Request,
    SetRequest,
)
from meterway.stacks.dlms.client.settings import ClientSettings
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, Framing, FramingEvent
from meterway.stacks.dlms.security.context import SecurityContext
from meterway.stacks.dlms.xdlms.block_transfer import BlockAssembly, GeneralBlockTransfer
from meterway.stacks.dlms.xdlms.ciphered import DEDICATED_TAGS, PLAIN_TAGS, GeneralCiphered, protected_octets
from meterway.stacks.dlms.xdlms.error import ExceptionResponse
from meterway.stacks.dlms.xdlms.get import Item
from meterway.stacks.dlms.xdlms.notification import DataNotification, EventNotification
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection

__all__ = ["DlmsClient"]

_NOTIFICATIONS = (b"\x0f", b"\xc2")
_UNASKED = frozenset((0x0F, 0xC2, 0xDB, 0xDC, 0xDD))
"""Notifications and the envelopes that pushes come in: none of them answers an association request."""
_CIPHER_OVERHEAD = 32  # general-glo: tag, title with length, length, control, counter, tag of 12
_INVOKE = 0xC0  # confirmed, high priority
_RELEASE = Rlrq(reason=0).encode()
_RELEASED = Rlre(reason=0).encode()
_DEDICATED = frozenset(DEDICATED_TAGS.values())


class DlmsClient:
    """Drives one association over a framing.

    ``open`` connects and associates; ``get``, ``get_list``, ``set``, ``act``, ``act_list`` queue requests and return
    their number; ``release`` closes in order after the queue is empty. Everything that comes of it are events. After
    ``Failed`` the engine is done: make a new one.
    """

    __slots__ = (
        "_assembly",
        "_deadline",
        "_events",
        "_framing",
        "_invoke",
        "_leaving",
        "_number",
        "_opening",
        "_queue",
        "_release_wanted",
        "_request",
        "_room",
        "_security",
        "_settings",
        "state",
    )

    def __init__(self, framing: Framing, settings: ClientSettings) -> None:
        self._framing = framing
        self._settings = settings
        self._events: list[ClientEvent] = []
        self._queue: list[Request] = []
        self._request: Request | None = None
        self._opening: Opening | None = None
        self._security: SecurityContext | None = None
        self._assembly: BlockAssembly | None = None
        self._deadline: float | None = None
        self._release_wanted = False
        self._leaving = False
        self._number = 0
        self._invoke = 0
        self._room = settings.max_pdu
        self.state = State.IDLE

    # -- what a caller asks -------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """Connect the link and associate; ``Associated`` or ``Failed`` follows."""
        if self.state is not State.IDLE:
            raise LocalProtocolError("the association is already open or opening")
        self._opening = Opening(self._settings)
        self._deadline = now + self._settings.response_timeout_s
        self._framing.connect(now)
        self._drain(now)

    def get(self, attribute: AttributeDescriptor, selection: Selection | None = None, *, now: float) -> int:
        """Read an attribute; ``GetDone`` follows."""
        return self._ask(GetRequest(self._next_number(), attribute, selection, self._settings.max_response), now)

    def get_list(self, items: tuple[Item, ...], *, now: float) -> int:
        """Read several attributes in one request; ``GetListDone`` follows."""
        return self._ask(GetListRequest(self._next_number(), items, self._settings.max_response), now)

    def set(self, items: tuple[Item, ...], values: tuple[bytes, ...], *, now: float) -> int:
        """Write attributes (encoded values); ``SetDone`` follows."""
        if len(items) != len(values) or not items:
            raise LocalProtocolError(f"{len(items)} attributes and {len(values)} values")
        return self._ask(SetRequest(self._next_number(), items, values), now)

    def act(self, method: MethodDescriptor, parameters: bytes | None = None, *, now: float) -> int:
        """Call a method; ``ActionDone`` follows."""
        return self._ask(ActionRequest(self._next_number(), method, parameters, self._settings.max_response), now)

    def act_list(self, calls: tuple[Call, ...], *, now: float) -> int:
        """Call several methods in one request; ``ActionListDone`` follows."""
        if not calls:
            raise LocalProtocolError("no method is to be called")
        return self._ask(ActionListRequest(self._next_number(), calls, self._settings.max_response), now)

    def release(self, now: float) -> None:
        """Close in order once the queue is empty; ``Released`` follows."""
        self._release_wanted = True
        self._go_on(now)

    @property
    def is_idle(self) -> bool:
        """Associated, with nothing asked and nothing queued."""
        return self.state is State.ASSOCIATED and self._request is None and not self._queue

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _ask(self, request: Request, now: float) -> int:
        self._queue.append(request)
        self._go_on(now)
        return request.number

    # -- the engine's shape -------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        self._framing.receive_data(data, now)
        self._drain(now)

    def next_event(self) -> ClientEvent | None:
        """The next thing that happened, or None."""
        return self._events.pop(0) if self._events else None

    def data_to_send(self) -> bytes:
        """All octets that are to go out now."""
        return self._framing.data_to_send()

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        line = self._framing.next_timeout()
        if self._deadline is None or (line is not None and line < self._deadline):
            return line
        return self._deadline

    def handle_timeout(self, now: float) -> None:
        """Tell the engine that the time has come."""
        self._framing.handle_timeout(now)
        self._drain(now)
        if self._deadline is not None and now >= self._deadline:
            if self.state is State.RELEASING:
                self._events.append(Quirk("release-answer", "the release was not answered"))
                self._leave(now)
                return
            waited = self._settings.response_timeout_s
            self._fail("timeout", LinkError(f"no answer within {waited:g} s while {self._doing()}"))
            self._framing.disconnect(now)

    def _doing(self) -> str:
        if self.state is State.ASSOCIATED:
            return "reading" if isinstance(self._request, GetRequest | GetListRequest) else "commanding"
        return {State.RELEASING: "releasing", State.PENDING: "authenticating"}.get(self.state, "associating")

    # -- what the line brings -----------------------------------------------------------------------------------------

    def _drain(self, now: float) -> None:
        while (event := self._framing.next_event()) is not None:
            self._take(event, now)

    def _take(self, event: FramingEvent, now: float) -> None:
        if isinstance(event, ApduReceived):
            self._guarded(event.apdu, now)
        elif isinstance(event, Connected):
            if self._opening is not None and self.state is State.IDLE:
                self._ask_to_associate(self._opening, now)
        elif isinstance(event, Disconnected):
            self._lost(event)
        else:
            self._events.append(Quirk(event.kind, event.message))

    def _ask_to_associate(self, opening: Opening, now: float) -> None:
        self.state = step(self.state, Step.AARQ, ours=True)
        try:
            self._send(opening.aarq(), now)
        except MeterwayError as error:
            self._stop(error, now)

    def _lost(self, event: Disconnected) -> None:
        if self._leaving or self.state is State.RELEASING:
            self._leaving = False
            self._end()
            self._events.append(Released())
            return
        if self.state is State.IDLE and self._opening is None:
            return
        self._fail("link", event.error or LinkError(f"the device closed the connection while {self._doing()}"))

    def _guarded(self, apdu: bytes, now: float) -> None:
        try:
            self._take_apdu(apdu, now)
        except MeterwayError as error:
            self._stop(error, now)

    def _take_apdu(self, apdu: bytes, now: float) -> None:
        tag = apdu[0] if apdu else -1
        if self.state is State.OPENING and tag in _UNASKED:
            self._events.append(Quirk("unexpected-apdu", f"a {apdu_name(apdu)} came while {self._doing()}"))
        elif self.state is State.OPENING or (self.state is State.PENDING and self._opening is not None):
            self._take_opening(apdu, now)
        elif self.state is State.RELEASING:
            self._take_release(tag, apdu, now)
        elif self.state is not State.ASSOCIATED:
            self._events.append(Quirk("unexpected-apdu", f"a {apdu_name(apdu)} came outside an association"))
        elif tag == 0xE0:
            self._take_block(apdu, now)
        else:
            self._take_service(self._opened(apdu), now)

    def _take_opening(self, apdu: bytes, now: float) -> None:
        opening = self._opening
        if opening is None:
            return
        if self.state is State.PENDING:
            apdu = self._opened(apdu)
            if apdu[:1] in _NOTIFICATIONS:
                self._take_service(apdu, now)
                return
            self._events.append(opening.prove(apdu))
            self._associated(now)
            return
        answer = opening.take(apdu)
        self._security = opening.security
        self._room = opening.room - (_CIPHER_OVERHEAD if self._settings.control else 0)
        if answer is None:
            self._events.append(opening.associated())
            self.state = step(self.state, Step.ACCEPTED, ours=False)
            self._associated(now)
            return
        self.state = step(self.state, Step.CHALLENGE, ours=False)
        self._send(self._protected(answer), now)

    def _associated(self, now: float) -> None:
        if self.state is State.PENDING:
            self.state = step(self.state, Step.PROVED, ours=False)
        self._opening = None
        self._deadline = None
        self._go_on(now)

    def _take_block(self, apdu: bytes, now: float) -> None:
        block = decode_apdu(apdu)
        if not isinstance(block, GeneralBlockTransfer):
            return
        if self._assembly is None:
            self._assembly = BlockAssembly(self._settings.max_response)
        whole = self._assembly.add(block)
        if whole is not None:
            self._assembly = None
            if whole[:1] == apdu[:1]:
                raise DecodeError("general blocks within general blocks", 0, "block")
            self._take_apdu(whole, now)
        elif not block.streaming:
            number = self._assembly.number
            ack = GeneralBlockTransfer(
                last=True, streaming=False, window=1, block_number=number, block_number_ack=number, octets=b""
            )
            self._send(ack.encode(), now)

    def _opened(self, apdu: bytes) -> bytes:
        tag = apdu[0] if apdu else -1
        if tag not in PLAIN_TAGS and tag not in (0xDB, 0xDC):
            if self._settings.control and tag not in (0x0E, 0xD8):
                raise SecurityError(f"a plain {apdu_name(apdu)} came in a protected association", "policy")
            return apdu
        security = self._security
        if security is None:
            raise SecurityError("a protected APDU came, no keys are set", "key")
        inner = PLAIN_TAGS.get(tag)
        if inner is None:
            envelope = decode_apdu(apdu)
            if not isinstance(envelope, GeneralCiphered):
                raise DecodeError(f"a {apdu_name(apdu)} is no envelope of one service", 0, "apdu")
            if envelope.system_title not in (b"", security.peer_title):
                raise SecurityError("the system title is not that of the associated device", "title")
            return security.open(envelope.protected, dedicated=tag == 0xDC)
        plain = security.open(protected_octets(apdu), dedicated=tag in _DEDICATED)
        if not plain or plain[0] != inner:
            raise DecodeError(f"a {apdu_name(plain)} came in the envelope of another service", 0, "apdu")
        return plain

    def _take_service(self, plain: bytes, now: float) -> None:
        tag = plain[0] if plain else -1
        if tag in (0x0F, 0xC2):
            push = decode_apdu(plain)
            if isinstance(push, DataNotification | EventNotification):
                self._events.append(PushReceived(push))
            return
        request = self._request
        if request is None:
            self._events.append(Quirk("unexpected-apdu", f"a {apdu_name(plain)} came, nothing was asked"))
            return
        if tag == 0xD8:
            self._refused(plain)
        outcome = request.take(plain)
        if isinstance(outcome, bytes):
            self._deadline = now + self._settings.response_timeout_s
            self._send(self._protected(outcome), now)
            return
        self._request = None
        self._deadline = None
        self._events.append(outcome)
        self._go_on(now)

    def _refused(self, plain: bytes) -> None:
        refusal = decode_apdu(plain)
        if isinstance(refusal, ExceptionResponse):
            if refusal.service_error == 6:
                raise SecurityError(f"the device refuses our counter: {refusal.words}", "counter-refused")
            if refusal.service_error == 5:
                raise SecurityError(f"the device could not decipher our request: {refusal.words}", "key-refused")

    # -- what goes out ------------------------------------------------------------------------------------------------

    def _go_on(self, now: float) -> None:
        if self.state is not State.ASSOCIATED or self._request is not None:
            return
        if self._queue:
            request = self._request = self._queue.pop(0)
            self._invoke = (self._invoke + 1) & 0x0F
            self._deadline = now + self._settings.response_timeout_s
            try:
                self._send(self._protected(request.start(_INVOKE | self._invoke, self._room)), now)
            except MeterwayError as error:
                self._stop(error, now)
        elif self._release_wanted:
            self.state = step(self.state, Step.RLRQ, ours=True)
            self._deadline = now + self._settings.response_timeout_s
            self._send(_RELEASE, now)

    def _protected(self, apdu: bytes) -> bytes:
        if self._security is None or not self._settings.control:
            return apdu
        return self._security.protect_general(apdu) if self._settings.is_general else self._security.protect(apdu)

    def _send(self, apdu: bytes, now: float) -> None:
        self._framing.send(apdu, now)

    # -- how it ends --------------------------------------------------------------------------------------------------

    def _take_release(self, tag: int, apdu: bytes, now: float) -> None:
        if tag != 0x63:
            self._events.append(Quirk("release-answer", f"the release was answered with a {apdu_name(apdu)}"))
        elif apdu != _RELEASED:
            try:
                decode_apdu(apdu)
            except DecodeError as error:
                self._events.append(Quirk("rlre-lengths", f"the release response is malformed: {error}"))
        self._leave(now)

    def _leave(self, now: float) -> None:
        self._end()
        self._leaving = True
        self._framing.disconnect(now)
        self._drain(now)

    def _end(self) -> None:
        self.state = step(self.state, Step.LOST, ours=False)
        self._opening = None
        self._request = None
        self._deadline = None
        self._queue.clear()

    def _stop(self, error: MeterwayError, now: float) -> None:
        if isinstance(error, SecurityError):
            self._fail(error.check, error)
        else:
            self._fail("decode" if isinstance(error, DecodeError) else "protocol", error)
        self._framing.disconnect(now)

    def _fail(self, cause: str, error: MeterwayError) -> None:
        if isinstance(error, RemoteProtocolError) and self.state is State.OPENING:
            cause = "rejected" if cause == "protocol" else cause
        self._end()
        self._events.append(Failed(cause, error))
