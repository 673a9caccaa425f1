"""Decoded telegrams as JSON."""

import json

from meterway.model.reading import Reading
from meterway.model.telegram import DecodedTelegram


def test_a_telegram_is_written_with_the_keys_of_the_contract():
    telegram = DecodedTelegram(protocol="p1", device={"id": "x"}, readings=(Reading(name="r", value=1),), quirks=("q",))
    row = telegram.as_json()
    assert list(row) == ["ok", "protocol", "device", "readings", "layers", "security", "quirks"]
    assert json.loads(json.dumps(row)) == row
