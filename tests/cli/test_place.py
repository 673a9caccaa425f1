import pytest

from meterway.base.errors import ConfigError
from meterway.cli.place import demo_folder, find_config


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("METERWAY_CONFIG", raising=False)


def test_the_file_named_comes_first_then_the_environment_then_the_one_here(tmp_path, monkeypatch):
    for name in ("named", "environment", "headend"):
        (tmp_path / f"{name}.toml").write_text(f'store = "{name}.sqlite"\n')
    monkeypatch.setenv("METERWAY_CONFIG", str(tmp_path / "environment.toml"))
    assert find_config(tmp_path / "named.toml").store == str(tmp_path / "named.sqlite")
    assert find_config(None).store == str(tmp_path / "environment.sqlite")
    monkeypatch.delenv("METERWAY_CONFIG")
    assert find_config(None).store == "headend.sqlite"


def test_a_demonstration_that_is_up_is_found(tmp_path):
    demo_folder().mkdir(parents=True)
    (demo_folder() / "headend.toml").write_text('store = "demo.sqlite"\n')
    assert find_config(None).store == str(demo_folder() / "demo.sqlite")


def test_without_any_it_says_what_to_do():
    with pytest.raises(ConfigError, match="--config"):
        find_config(None)
