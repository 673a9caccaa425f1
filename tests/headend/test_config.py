"""Settings of a head end."""

from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.headend.config import HeadEndConfig, load_config, sample


def load(tmp_path: Path, text: str) -> HeadEndConfig:
    path = tmp_path / "headend.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def defaults(tmp_path: Path, title: str) -> HeadEndConfig:
    return HeadEndConfig(
        system_title=title, store=str(tmp_path / "meterway.sqlite"), master_key=str(tmp_path / "meterway.key")
    )


def test_the_sample_says_the_defaults(tmp_path: Path) -> None:
    text = sample()
    written = load(tmp_path, text)
    assert written == defaults(tmp_path, written.system_title)
    told = "\n".join(line[2:] if line.startswith("# ") and " = " in line else line for line in text.splitlines())
    uncommented = load(tmp_path, told.replace("meterway.tokens", "").replace("nnap.tokens", ""))
    assert uncommented == defaults(tmp_path, written.system_title)


@pytest.mark.covers("SEC-05")
def test_every_sample_has_a_system_title_of_its_own(tmp_path: Path) -> None:
    titles = {load(tmp_path, sample()).title for _ in range(20)}
    assert len(titles) == 20
    assert all(len(title) == 8 and title.startswith(b"MWY") for title in titles)


def test_names_of_files_count_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    config = load(tmp_path, 'store = "data/s.sqlite"\nmaster_key = "/etc/key"\n[web]\ntokens = "t"')
    assert config.store == str(tmp_path / "data" / "s.sqlite")
    assert config.master_key == "/etc/key"
    assert config.web.tokens == str(tmp_path / "t")
    assert load(tmp_path, 'store = "postgresql://a@b/c"').store == "postgresql://a@b/c"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "x"),
        ("[collect]\nevery_s = 0", "collect.every_s"),
        ("[collect]\nconcurrency = 0", "collect.concurrency"),
        ("[collect]\nhistory_days = -1", "collect.history_days"),
        ("[push]\nport = 70000", "push.port"),
        ("[collect]\nretry_first_s = 'soon'", "collect.retry_first_s"),
        ("store = ]", "line 1"),
        ("system_title = 'zz'", "system_title"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"headend\.toml") as error:
        load(tmp_path, text)
    assert said in str(error.value)


def test_a_file_that_is_absent_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"store = '\xff'")
    with pytest.raises(ConfigError, match="not UTF-8 at octet 9"):
        load_config(tmp_path / "bad.toml")


def test_a_title_has_eight_octets_and_a_path_stands_for_sqlite() -> None:
    assert HeadEndConfig().title == bytes.fromhex("4d57590000000001")
    for wrong in ("", "4d57", "zz57590000000001"):
        with pytest.raises(ConfigError, match="system_title"):
            _ = HeadEndConfig(system_title=wrong).title
    assert HeadEndConfig(store="a.db").store_url == "sqlite:///a.db"
    assert HeadEndConfig(store="postgresql://u@h/d").store_url == "postgresql://u@h/d"
