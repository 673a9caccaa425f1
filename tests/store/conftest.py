"""A store on SQLite, and the same on a PostgreSQL cluster of our own where the server program is installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

import programs
from meterway.store.database import Store, open_store
from meterway.store.devices import NewDevice

SERVER_USER = "postgres"


def as_server_user(command: list[str]) -> list[str]:
    """The server refuses to run as root."""
    return ["runuser", "-u", SERVER_USER, "--", *command] if os.geteuid() == 0 else command


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of a fresh cluster on a unix socket in a temporary folder, stopped and removed afterwards."""
    server = programs.find("postgres")
    assert server is not None, "mark the test with @pytest.mark.needs('postgres')"
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if os.geteuid() == 0 and SERVER_USER not in {each.pw_name for each in pwd.getpwall()}:
        pytest.skip(f"running as root, and there is no user {SERVER_USER} to run the server")
    folder = Path(tempfile.mkdtemp(prefix="mw-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = str(folder / "data")

    def run(*command: str) -> None:
        subprocess.run(as_server_user(list(command)), check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=60)

    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=50"
    try:
        run(str(server.parent / "initdb"), "-D", data, "-U", "meterway", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(str(server.parent / "pg_ctl"), "-D", data, "-o", options, "-w", "-l", str(folder / "log"), "start")
        try:
            yield f"postgresql://meterway@/{{name}}?host={folder}"
        finally:
            run(str(server.parent / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(cluster: str) -> Callable[[], str]:
    """Makes an empty database in the cluster and returns its address."""
    import psycopg

    numbers = count()

    def make() -> str:
        name = f"town{next(numbers)}"
        with psycopg.connect(cluster.format(name="postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return cluster.format(name=name)

    return make


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgres"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("new_database")())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def devices(store: Store) -> list[int]:
    """The ids of three registered devices, M0001 to M0003."""
    store.devices.add_many([NewDevice(serial=f"M{number:04}") for number in (1, 2, 3)], now_ms=1)
    return [device.id for device in store.devices.all()]
