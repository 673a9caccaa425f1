"""What tests of M-Bus share: a gateway's hand that seals orders, and slaves that say who they are."""

from __future__ import annotations

from meterway.links.medium.bus import BusSettings, SimulatedBus
from meterway.meter.mbus.device import MbusMeter
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.build import Wrapping, transport
from meterway.stacks.mbus.link.slave import Slave


def sealed_order(
    meter: MbusMeter, payload: bytes, *, counter: int, ci: int = 0x5B, key: bytes | None = None, mode: int | None = None
) -> bytes:
    """An order to a meter from its CI on, in the meter's own security mode and under its key unless told otherwise."""
    wrapping = Wrapping(
        sender=meter.address,
        mode=meter.config.security if mode is None else mode,
        key=meter.key if key is None else key,
        counter=counter,
        long=True,
        from_meter=False,
    )
    afl, message = transport(wrapping, payload, access=counter, ci=ci)
    return message if afl is None else afl.encode() + message


class KnownMeter:
    """The host behind a slave whose answer tells who it is, and ``size`` octets of filler."""

    def __init__(self, address: Address, size: int = 6) -> None:
        self.address = address
        self.size = size

    def user_data(self) -> list[tuple[int, bytes]]:
        return [(0x72, self.address.to_wired() + bytes((1, 0, 0, 0)) + bytes(self.size))]

    def alarm(self) -> tuple[int, bytes] | None:
        return None

    def received(self, ci: int, data: bytes) -> bool:
        return True


def address_of(number: int) -> Address:
    """The address of the n-th meter of a bus."""
    return Address(manufacturer=0x2C2D, ident=f"{number * 7919 % 100_000_000:08d}", version=1, device_type=7)


def bus_of(count: int, settings: BusSettings | None = None) -> SimulatedBus:
    """A simulated bus with so many meters."""
    bus = SimulatedBus(settings)
    for number in range(count):
        bus.attach(Slave(KnownMeter(address_of(number)), primary=number % 250, secondary=address_of(number)))
    return bus
