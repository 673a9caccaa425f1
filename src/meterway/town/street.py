"""The process in which a town's meters live.

It is told what to run as one JSON line on standard input, answers with one JSON line that says how each meter is
reached, and runs until its standard input is closed: it never outlives the town.
"""

from __future__ import annotations

import gc
import sys

import msgspec

from meterway.base.settings import Secretive
from meterway.links.limits import raise_file_limit
from meterway.meter.api import HostConfig, MeterHost
from meterway.town.hosts import hosts_of
from meterway.town.plan import Street, TownPlan
from meterway.town.process import say, serve_order, until_closed

__all__ = ["Order", "Report", "main"]


class Order(Secretive, frozen=True):
    """What the street is to run; ``secret`` (hex) is what its meters' keys are derived from."""

    meters: int
    displays: int
    push_port: int
    secret: str


class Report(msgspec.Struct, frozen=True):
    """How the meters are reached, or why they are not."""

    meters: list[Street] = []
    error: str = ""


async def _run(order: Order) -> None:
    plan = TownPlan(meters=order.meters, displays=order.displays, push_port=order.push_port)
    raise_file_limit(3 * order.meters + 1024)
    hosts = [MeterHost(config) for config in hosts_of(plan, bytes.fromhex(order.secret)) if config.meters]
    try:
        for host in hosts:
            await host.start()
        say(Report(meters=[street for host in hosts for street in _streets(host)]))
        gc.collect()
        gc.freeze()
        await until_closed()
    finally:
        for host in hosts:
            await host.stop()


def _streets(host: MeterHost) -> list[Street]:
    config: HostConfig = host.config
    titles = {meter.serial: meter.title.hex() for meter in config.meters}
    profiles = {meter.serial: meter.country for meter in config.meters}
    return [
        Street(
            serial=end.serial,
            system_title=titles[end.serial],
            transport=end.transport,
            port=end.port,
            server=end.server,
            profile=profiles[end.serial],
            h1_port=host.h1_ports.get(end.serial, 0),
        )
        for end in host.endpoints
    ]


def main() -> int:
    """Run a street; exit status 1 if it could not start."""
    return serve_order(Order, _run, lambda reason: Report(error=reason), "street")


if __name__ == "__main__":
    sys.exit(main())
