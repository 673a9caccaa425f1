"""``meterway read|set|act``: any attribute of any meter on demand, by OBIS code or by name."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meterway.base.errors import ConfigError
from meterway.cli.loop import run
from meterway.cli.place import find_config
from meterway.model.telegram import Json

if TYPE_CHECKING:
    from meterway.headend.config import HeadEndConfig
    from meterway.headend.control import Request

__all__ = ["act", "moment", "read", "set_attribute"]

_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings of the head end that knows the meter."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="The answer as one JSON object.")
_CLASS = click.option("--class", "class_id", type=int, help="Interface class, if the meter's profile does not tell it.")


@click.command()
@click.argument("device")
@click.argument("what")
@click.option("--attribute", default="2", show_default=True, help="Number or name of the attribute.")
@click.option("--from", "start", metavar="TIME", help="A profile or log: from this time on (ISO 8601; UTC if no zone).")
@click.option("--to", "end", metavar="TIME", help="... up to this time.")
@_CLASS
@_CONFIG
@_JSON
def read(
    device: str,
    what: str,
    attribute: str,
    start: str | None,
    end: str | None,
    class_id: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Read WHAT (an OBIS code such as 1.8.0, or a name such as load-profile) of the meter DEVICE now.

    WHAT may also be "objects": every object the meter shows.
    """
    from meterway.headend.control import Request

    action = "objects" if what == "objects" else "read"
    request = Request(
        action=action,
        serial=device,
        obis="" if action == "objects" else what,
        attribute=_number_or_name(attribute),
        from_s=moment(start, "--from"),
        to_s=moment(end, "--to"),
        class_id=class_id,
    )
    _finish(request, config, as_json=as_json)


@click.command("set")
@click.argument("device")
@click.argument("what")
@click.argument("value")
@click.option("--attribute", default="2", show_default=True, help="Number or name of the attribute.")
@_CLASS
@_CONFIG
@_JSON
def set_attribute(
    device: str, what: str, value: str, attribute: str, class_id: int | None, config: Path | None, as_json: bool
) -> None:
    """Write VALUE (JSON, or plain text) to WHAT of the meter DEVICE now; "meterway set M0007 clock now"."""
    from meterway.headend.control import Request

    request = Request(
        action="set",
        serial=device,
        obis=what,
        attribute=_number_or_name(attribute),
        value=_value(value),
        class_id=class_id,
    )
    _finish(request, config, as_json=as_json)


@click.command()
@click.argument("device")
@click.argument("what")
@click.argument("method")
@click.argument("value", required=False)
@_CLASS
@_CONFIG
@_JSON
def act(
    device: str,
    what: str,
    method: str,
    value: str | None,
    class_id: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Call METHOD (number or name) of WHAT of the meter DEVICE now.

    For example: meterway act M0007 disconnect-control remote_disconnect
    """
    from meterway.headend.control import Request

    request = Request(
        action="act",
        serial=device,
        obis=what,
        method=_number_or_name(method),
        value=None if value is None else _value(value),
        class_id=class_id,
    )
    _finish(request, config, as_json=as_json)


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value


def moment(text: str | None, option: str) -> float | None:
    """Unix seconds of an ISO 8601 time; ConfigError names the option."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: {text!r} is no ISO 8601 time such as 2026-11-01 or 2026-11-01T12:15") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _finish(request: Request, config: Path | None, *, as_json: bool) -> None:
    settings = find_config(config)
    answer = run(_ask(settings, request))
    if as_json:
        click.echo(json.dumps(answer))
    else:
        from meterway.cli.show_answer import show_answer

        show_answer(answer)
    if not answer.get("ok"):
        sys.exit(1)


async def _ask(settings: HeadEndConfig, request: Request) -> dict[str, Json]:
    """Through the head end that runs on this store, or else as one for this moment."""
    from meterway.headend.control import ask, socket_path

    path = socket_path(settings.store_url)
    answer = None if path is None else await ask(path, request)
    return await _alone(settings, request) if answer is None else answer


async def _alone(settings: HeadEndConfig, request: Request) -> dict[str, Json]:
    import msgspec

    from meterway.base.errors import MeterwayError
    from meterway.headend.control_server import perform
    from meterway.headend.serve import HeadEnd

    quiet = msgspec.structs.replace(
        settings,
        push=msgspec.structs.replace(settings.push, enabled=False),
        collect=msgspec.structs.replace(settings.collect, enabled=False),
    )
    head_end = HeadEnd(quiet)
    try:
        await head_end.start()
        return await perform(head_end, request)
    except ConfigError:
        raise
    except MeterwayError as error:
        return {"ok": False, "error": {"kind": getattr(error, "check", "device"), "message": str(error)}}
    finally:
        await head_end.stop()
