import os

import pytest
from click.testing import CliRunner

from meterway.base.errors import ConfigError
from meterway.cli import bench, cli


def test_the_runner_of_the_checkout_gets_the_names_and_its_status_is_ours(tmp_path, monkeypatch):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "run.py").write_text(
        "import pathlib, sys\npathlib.Path('asked').write_text(' '.join(sys.argv[1:]))\nsys.exit(3)\n"
    )
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["bench", "--json", "p1", "axdr"])
    assert done.exit_code == 3
    assert (tmp_path / "asked").read_text() == "--json p1 axdr"


def test_without_a_checkout_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "__file__", os.fspath(tmp_path / "bench.py"))
    with pytest.raises(ConfigError, match="checkout"):
        CliRunner().invoke(cli, ["bench"], catch_exceptions=False, standalone_mode=False)
