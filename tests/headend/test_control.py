import asyncio
import os
from pathlib import Path

import pytest

from meterway.base.errors import LinkError
from meterway.headend.control import Request, ask, socket_path


def test_the_socket_stands_beside_a_store_that_is_a_file(tmp_path):
    path = socket_path(f"sqlite:///{tmp_path / 's.sqlite'}")
    assert path == tmp_path / "s.sqlite.sock"


def test_a_path_too_long_for_a_socket_gets_a_short_one_of_its_own(tmp_path):
    first = socket_path(f"sqlite:///{tmp_path / ('a' * 120)}")
    second = socket_path(f"sqlite:///{tmp_path / ('b' * 120)}")
    assert first is not None
    assert second is not None
    assert first != second
    assert len(os.fsencode(first)) <= 100


def test_a_long_folder_of_temporary_files_is_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/" + "t" * 90)
    path = socket_path(f"sqlite:///{tmp_path / ('a' * 120)}")
    assert path is not None
    assert len(os.fsencode(path)) <= 100


def test_a_database_server_has_no_socket():
    assert socket_path("postgresql://host/db") is None


def test_where_nobody_listens_there_is_no_answer(tmp_path):
    assert asyncio.run(ask(tmp_path / "nobody.sock", Request(action="read", serial="M1"))) is None


def test_a_head_end_that_goes_away_before_it_answers_is_told(tmp_path):
    async def go_away() -> None:
        async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        path: Path = tmp_path / "away.sock"
        server = await asyncio.start_unix_server(close, path)
        try:
            with pytest.raises(LinkError, match="went away"):
                await ask(path, Request(action="read", serial="M1"))
        finally:
            server.close()
            await server.wait_closed()

    asyncio.run(go_away())
