"""Bring a database to the schema of this version.

SQLAlchemy and Alembic take most of a second to import, so a database that is up to date never gets here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

__all__ = ["config", "migrate"]

_LOCK: Final = 0x6D657465727761  # any number that is only ours


def config(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration over an open connection."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def migrate(dialect: str, raw: object) -> None:
    """Apply every missing migration over a driver's connection, in one transaction.

    A second process that does the same waits and finds it done. ``dialect`` is ``sqlite`` or ``postgresql``.
    """
    name = "sqlite" if dialect == "sqlite" else "postgresql+psycopg"
    engine = sa.create_engine(f"{name}://", creator=lambda: raw, poolclass=sa.StaticPool)
    with engine.connect() as connection:
        if dialect == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        command.upgrade(config(connection), "head")
        connection.commit()
