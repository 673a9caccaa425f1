"""Each party has keys of its own for each logical device."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lnap_town import RadioMeter, ledger, site
from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.keys import derive, title_of
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.security.keys import wrap_key


@pytest.mark.covers("SEC-05")
def test_no_two_parties_or_devices_share_a_key() -> None:
    secret = bytes(range(16))
    keys = [derive(secret, party, device) for party in ("a", "b") for device in ("x", "y")]
    assert len({key for each in keys for key in each}) == 12
    assert all(len(key) == 16 for pair in keys for key in pair)
    assert keys[0].guek.hex() not in repr(keys[0])


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16"):
        derive(b"short", "a", "x")


def test_a_title_has_eight_octets_and_its_maker() -> None:
    assert title_of("MWY", "a") != title_of("MWY", "b")
    assert title_of("MWY", "a")[:3] == b"MWY"
    assert len(title_of("MWY", "a")) == 8


def wrapped(kek: bytes, **keys: bytes) -> list[KeyTransfer]:
    ids = {"guek": 0, "gak": 2, "kek": 3}
    return [KeyTransfer(key_id=ids[name], wrapped=wrap_key(kek, key)) for name, key in keys.items()]


_CHANGER = """
import sys
from pathlib import Path
from lnap_town import RadioMeter, ledger, site
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.security.keys import wrap_key
book = ledger(Path(sys.argv[1]), *([RadioMeter().bound()] if sys.argv[2] == "0" else []))
found = site(book)
found.restore()
party = found.parties[0]
number = int(sys.argv[2])
while True:
    number += 1
    key = number.to_bytes(16, "big")
    print("begin", number, flush=True)
    wanted = [KeyTransfer(key_id=place, wrapped=wrap_key(found.keys(party, 1).kek, key)) for place in (0, 2)]
    assert found.transfer_keys(party, 1, wanted)
    print("done", number, flush=True)
"""


@pytest.mark.covers("SEC-05", "E-LNAP")
def test_one_whole_set_of_keys_is_in_force_after_any_power_cut(tmp_path: Path) -> None:
    begun = done = 0
    folder = Path(__file__).parent.parent
    paths = os.pathsep.join([str(folder), *sys.path])
    for round_ in range(4):
        command = [sys.executable, "-c", _CHANGER, str(tmp_path), str(done)]
        settled = os.environ | {"PYTHONPATH": paths}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settled) as changer:
            assert changer.stdout is not None
            said = [changer.stdout.readline() for _ in range(10 + round_)]
            changer.send_signal(signal.SIGKILL)
            said += [line for line in changer.stdout if line.endswith("\n")]
        begun = max(int(line.split()[1]) for line in said)
        done = max(int(line.split()[1]) for line in said if line.startswith("done"))
        book = ledger(tmp_path)
        found = site(book)
        found.restore()
        keys = found.keys(found.parties[0], 1)
        assert keys.guek == keys.gak
        assert int.from_bytes(keys.guek, "big") in (done, begun)
        done = int.from_bytes(keys.guek, "big")
        book.spool.close()


@pytest.mark.covers("SEC-05")
def test_a_meter_that_left_takes_its_transferred_keys_with_it(tmp_path: Path) -> None:
    book = ledger(tmp_path, RadioMeter().bound())
    found = site(book)
    party = found.parties[0]
    derived = found.keys(party, 1)
    assert not found.transfer_keys(party, 1, wrapped(b"x" * 16, guek=b"1" * 16))
    assert found.transfer_keys(party, 1, wrapped(derived.kek, guek=b"1" * 16))
    assert found.keys(party, 1) == derived._replace(guek=b"1" * 16)
    assert found.keys(party, 0) == found.keys(party, 0)._replace()
    found.forget_keys(1)
    assert found.keys(party, 1) == derived
    assert book.party_keys() == {}
    book.spool.close()
