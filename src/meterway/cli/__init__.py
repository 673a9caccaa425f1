"""The command line: ``meterway …``. Subcommands are imported only when they run."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

from meterway import __version__
from meterway.base.errors import ConfigError, MeterwayError

__all__ = ["main"]

_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("meterway.cli.demo:demo", "A whole town on this machine: read, shown, kept up."),
    "town": ("meterway.cli.town:town", "A physical configuration, P1 to P15, on this machine."),
    "decode": ("meterway.cli.decode:decode", "Any telegram of any protocol the system knows."),
    "read": ("meterway.cli.device:read", "Read any attribute of a meter now."),
    "set": ("meterway.cli.device:set_attribute", "Write any attribute of a meter now."),
    "act": ("meterway.cli.device:act", "Call any method of a meter now."),
    "meter": ("meterway.cli.entity:meter", "Run virtual meters from a TOML file."),
    "radio": ("meterway.cli.radio:radio", "Run a simulated radio for M-Bus meters and gateways."),
    "neighbourhood": ("meterway.cli.neighbourhood:neighbourhood", "Run a simulated power line or radio mesh."),
    "display": ("meterway.cli.entity:display", "Run a consumer display on a meter's H1 port."),
    "home": ("meterway.cli.home:home", "Run load controllers of homes from a TOML file."),
    "lnap": ("meterway.cli.entity:lnap", "Run a gateway of radio and wired meters from a TOML file."),
    "nnap": ("meterway.cli.entity:nnap", "Run a concentrator of a neighbourhood from a TOML file."),
    "headend": ("meterway.cli.entity:headend", "Run a head end from a TOML file."),
    "group": ("meterway.cli.group:group", "Groups of meters, and orders to all of one at once."),
    "local": ("meterway.cli.local:local", "Read a meter at its local port; take in what a hand-held read."),
    "import": ("meterway.cli.registry:import_devices", "Put meters from a CSV file into the registry."),
    "bench": ("meterway.cli.bench:bench", "The benchmarks a user can repeat, each beside its peers."),
}


class _Lazy(click.Group):
    """Knows its subcommands by name and one line; imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="meterway")
def cli() -> None:
    """An open smart metering system, from the meter to the head end.

    Every command takes --json. Exit status: 0 done, 1 the work failed (it says why), 2 wrong usage.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; errors of ours are one line on standard error, never a traceback."""
    try:
        status = cli.main(args=arguments, prog_name="meterway", standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConfigError as error:
        _say(error)
        sys.exit(2)
    except MeterwayError as error:
        _say(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _say(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _say(error: Exception) -> None:
    click.echo(f"meterway: {error}", err=True)
