"""The home automation that listens."""

import asyncio

from meterway.town.automation import Automation


def test_nothing_was_heard_by_one_that_never_began():
    automation = Automation()
    asyncio.run(automation.stop())
    (row,) = automation.traffic()
    assert (row.entities, row.sessions, row.octets) == (0, 0, 0)
