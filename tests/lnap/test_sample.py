"""Every line of the sample that is commented out is a setting there is."""

from __future__ import annotations

import re
from pathlib import Path

from meterway.lnap.config import load_config
from meterway.lnap.sample import SAMPLE, sample


def test_each_sample_has_a_serial_and_a_secret_of_its_own(tmp_path: Path) -> None:
    one, two = sample(), sample()
    assert one != two
    path = tmp_path / "lnap.toml"
    path.write_text(one)
    assert len(load_config(path).parties[0].octets) == 16


def test_the_sample_with_every_example_in_force_is_read(tmp_path: Path) -> None:
    text = re.sub(r"^# ((?:\[|[a-z_]+ = ).*)$", r"\1", SAMPLE, flags=re.MULTILINE)
    once: list[str] = []
    for line in text.splitlines():  # where one of several is to be chosen the first is
        if not re.match(r"(port = 5000|file = )", line):
            once.append(line)
    path = tmp_path / "lnap.toml"
    (tmp_path / "drivers").mkdir()
    path.write_text("\n".join(once).replace('party = "supplier"', 'party = "operator"'))
    config = load_config(path)
    assert [radio.receiver for radio in config.radios] == ["lines", "im871a", "simulated"]
    assert config.push is not None
    assert config.mqtt is not None
    assert config.meters
    assert config.tariffs
    assert config.meter_drivers().drivers
    assert config.update is not None
    assert config.update.folder == str(tmp_path / "firmware")
