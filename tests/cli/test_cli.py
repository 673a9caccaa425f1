import subprocess
import sys

import pytest
from click.testing import CliRunner

from command_line import meterway
from meterway.base.errors import ConfigError, LinkError
from meterway.cli import cli, main


def test_help_names_every_command_without_importing_one():
    script = "import sys; from meterway.cli import cli; from click.testing import CliRunner; "
    script += "print(CliRunner().invoke(cli, ['--help']).output); "
    script += "print(sorted(m for m in sys.modules if m.startswith(('meterway.cli.', 'numpy', 'rich', 'litestar'))))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *_, modules = done.stdout.strip().splitlines()
    for name in ("demo", "decode", "read", "set", "act", "meter", "display", "lnap", "headend", "import", "bench"):
        assert f"\n  {name} " in done.stdout
    assert modules == "[]"


def test_an_unknown_command_is_wrong_usage(tmp_path):
    done = meterway("nonsense", cwd=tmp_path)
    assert done.returncode == 2
    assert b"No such command" in done.stderr


def test_the_version_is_told():
    assert "meterway, version" in CliRunner().invoke(cli, ["--version"]).output


@pytest.mark.parametrize(("error", "status"), [(ConfigError("no such thing"), 2), (LinkError("nobody there"), 1)])
def test_an_error_of_ours_is_one_line_and_a_status(monkeypatch, capsys, error, status):
    def fail(**_):
        raise error

    monkeypatch.setattr(cli, "main", fail)
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == status
    assert capsys.readouterr().err == f"meterway: {error}\n"
