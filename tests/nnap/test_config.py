"""The settings of a concentrator."""

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.nnap.config import BroadcastConfig, NnapConfig, NodeConfig, PartyConfig, ReportConfig, load_config, sample
from meterway.nnap.plan import Window


def load(tmp_path, text):
    path = tmp_path / "nnap.toml"
    path.write_text(text)
    return load_config(path)


def test_the_sample_is_whole_and_each_has_a_secret_of_its_own(tmp_path):
    first, second = sample(), sample()
    assert first != second
    config = load(tmp_path, first)
    assert config.mode == "hybrid"
    assert config.store == str(tmp_path / "nnap.sqlite")
    uncommented = "\n".join(
        line[2:] if line.startswith("# ") and ("=" in line or line.startswith("# [")) else line
        for line in first.splitlines()
        if "serial =" not in line or not line.startswith("# ")
    )
    assert "[network]" in uncommented


BASE = 'serial = "N1"\n[[parties]]\nname = "o"\nclient = 1\nsecret = "%s"\n' % ("5a" * 16)


def test_everything_that_can_be_said_is_understood(tmp_path):
    config = load(
        tmp_path,
        BASE
        + """
[network]
profile = "prime"
port = 4880
[[nodes]]
eui = "4d57593132333435"
serial = "M1"
guek = "000102030405060708090a0b0c0d0e0f"
gak = "000102030405060708090a0b0c0d0e0f"
[plan]
windows = ["22:00-06:00"]
profiles = ["1-0:99.1.0"]
[broadcast]
encryption = "000102030405060708090a0b0c0d0e0f"
authentication = "000102030405060708090a0b0c0d0e0f"
[report]
url = "https://h.example/g2/reports"
[wake]
port = 4062
party = "o"
""",
    )
    rules = config.rules()
    assert rules.plan.windows == (Window(from_s=79200, to_s=21600),)
    assert rules.read.profiles == (Obis(1, 0, 99, 1, 0),)
    node = config.nodes[0].node(1)
    assert node.is_read
    assert len(config.title) == 8
    assert config.own_eui == config.title
    assert config.broadcast.rules().pace_s == 1.5


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('[network]\nport = 1\nprofile = "smoke"', "smoke"),
        ('[[nodes]]\neui = "4d57593132333435"\nserial = "A"\n[[nodes]]\neui = "4D57593132333435"\nserial = "B"', "EUI"),
        ('[[nodes]]\neui = "4d5759"\nserial = "A"', "eui"),
        ('[report]\nurl = "http://h.example/x"', "HTTPS"),
        ('[report]\nurl = "https://h/x"\nbroker = "b"', "one of"),
        ('[wake]\nport = 1\nparty = "nobody"', "nobody"),
        ("colour = 1", "colour"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, word):
    with pytest.raises(ConfigError, match=word):
        load(tmp_path, (text + "\n" + BASE) if text.startswith("colour") else BASE + text)


def test_keys_come_together_and_secrets_are_long_enough(tmp_path):
    node = '[[nodes]]\neui = "4d57593132333435"\nserial = "A"\nguek = "000102030405060708090a0b0c0d0e0f"'
    with pytest.raises(ConfigError, match=r"\.toml: nodes, A: .* together"):
        load(tmp_path, BASE + node)
    with pytest.raises(ConfigError, match=r"\.toml: parties, .*secret"):
        load(tmp_path, BASE.replace("5a" * 16, "5a"))
    with pytest.raises(ConfigError, match=r"\.toml: "):
        load(tmp_path, BASE + '[plan]\nprofiles = ["nonsense"]')


@pytest.mark.covers("SEC-17")
def test_plain_http_and_mqtt_are_for_this_machine_only(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t0k")
    config = load(tmp_path, BASE + '[report]\nurl = "http://127.0.0.1:80/x"\ntoken = "env:TOKEN"')
    assert config.report.secret("token") == "t0k"
    assert not load(tmp_path, BASE + '[report]\nbroker = "localhost"').report.tls
    assert load(tmp_path, BASE + '[report]\nbroker = "b.example"').report.tls


@pytest.mark.covers("SEC-03")
def test_no_secret_shows_in_a_log_or_an_error():
    secret, key = "5ec7e7" * 8, "ab" * 16
    config = NnapConfig(
        serial="N1",
        parties=(PartyConfig(name="o", client=1, secret=secret),),
        nodes=(NodeConfig(eui="00" * 8, serial="M1", key=key, guek=key, gak=key),),
        broadcast=BroadcastConfig(encryption=key, authentication=key),
        report=ReportConfig(url="https://h/g2/reports", token=secret, password=secret),
    )
    assert secret not in repr(config)
    assert key not in repr(config)
