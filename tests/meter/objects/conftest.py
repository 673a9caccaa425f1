"""A client that talks to a virtual meter over a line in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.links.memory import MemoryLine
from meterway.meter.device import Meter
from meterway.meter.objects import LogicalMeter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.client import ActionDone, ClientSettings, DlmsClient, GetDone, SetDone
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection


class NoStore:
    """Counters that live as long as the test."""

    def first(self, meter: Meter) -> int:
        return 0

    def reserve(self, meter: Meter, limit: int) -> None:
        pass

    def last_received(self, meter: Meter, client: int) -> int:
        return -1

    def ordered(self, meter: Meter) -> None:
        pass


class Talk:
    """One association of a client with a meter; the meter's time stands at ``now``."""

    def __init__(self, meter: Meter, client: int, now: float, counter: int = 0) -> None:
        self.meter = meter
        self.now = now
        device = LogicalMeter(meter, NoStore(), lambda _: self.now)
        keys = meter.keys
        secured = client in (1, 3)
        settings = ClientSettings(
            mechanism={16: 0, 2: 1}.get(client, 5),
            secret=keys.lls,
            control=0x30 if secured else 0,
            keys=Keys(keys.guek, keys.gak) if secured else None,
            system_title=b"MWYHEAD1" if secured else b"",
            send_counter=SendCounter(counter),
            received=ReceivedCounter(),
        )
        self.engine = DlmsClient(WrapperFraming(client, 1, role=Role.CLIENT), settings)
        self.server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda _: device)
        self.line = MemoryLine(self.engine, self.server)
        self.engine.open(0.0)
        self.line.settle()

    @property
    def events(self) -> list[Any]:
        return self.line.left_events

    def _last(self) -> Any:
        self.line.settle()
        return self.events[-1]

    def get(self, class_id: int, obis: str, attribute: int = 2, selection: Selection | None = None) -> Any:
        """The typed value, or the refusal."""
        self.engine.get(AttributeDescriptor(class_id, Obis.parse(obis), attribute), selection, now=0.0)
        done = self._last()
        assert isinstance(done, GetDone), done
        if not isinstance(done.result, bytes):
            return done.result
        return typed(class_id, attribute, axdr.decode_all(done.result))

    def set(self, class_id: int, obis: str, attribute: int, value: axdr.Data) -> Any:
        descriptor = AttributeDescriptor(class_id, Obis.parse(obis), attribute)
        self.engine.set(((descriptor, None),), (axdr.encode(value),), now=0.0)
        done = self._last()
        assert isinstance(done, SetDone), done
        return done.results[0]

    def act(self, class_id: int, obis: str, method: int, parameter: axdr.Data | None = None) -> Any:
        octets = axdr.encode(parameter if parameter is not None else axdr.i8(0))
        self.engine.act(MethodDescriptor(class_id, Obis.parse(obis), method), octets, now=0.0)
        done = self._last()
        assert isinstance(done, ActionDone), done
        return done.outcome.result


@pytest.fixture
def talk(now: float) -> Callable[..., Talk]:
    """Associate with a meter."""

    def associate(meter: Meter, client: int = 1, counter: int = 0) -> Talk:
        return Talk(meter, client, now, counter)

    return associate
