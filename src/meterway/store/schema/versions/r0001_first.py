"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "device",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("system_title", sa.LargeBinary(), nullable=True),
        sa.Column("utility", sa.Text(), server_default="electricity", nullable=False),
        sa.Column("protocol", sa.Text(), server_default="dlms", nullable=False),
        sa.Column("profile", sa.Text(), server_default="", nullable=False),
        sa.Column("transport", sa.Text(), server_default="tcp", nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("port", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sap", sa.Integer(), server_default="1", nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=True),
        sa.Column("parent", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="registered", nullable=False),
        sa.Column("firmware", sa.Text(), server_default="", nullable=False),
        sa.Column("flags", sa.Text(), server_default="{}", nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["device.id"], name=op.f("fk_device_parent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("serial", name=op.f("uq_device_serial")),
    )
    op.create_index("ix_device_host", "device", ["host"], unique=False)
    op.create_index("ix_device_parent", "device", ["parent"], unique=False)
    op.create_index("ix_device_state", "device", ["state", "serial"], unique=False)
    op.create_index("ix_device_system_title", "device", ["system_title"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("device", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_audit_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_device", "audit", ["device", "id"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("octets_in", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("octets_out", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("values_read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("detail", sa.Text(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_contact_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index("ix_contact_device", "contact", ["device", "id"], unique=False)
    op.create_index("ix_contact_started_ms", "contact", ["started_ms"], unique=False)
    op.create_table(
        "counter",
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("next >= 0", name=op.f("ck_counter_next")),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_counter_device")),
        sa.PrimaryKeyConstraint("device", "name", name=op.f("pk_counter")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "device_task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="due", nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_device_task_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_task")),
        sa.UniqueConstraint("name", name=op.f("uq_device_task_name")),
    )
    op.create_index("ix_device_task_device", "device_task", ["device", "id"], unique=False)
    op.create_index(
        "ix_device_task_due",
        "device_task",
        ["priority", "due_ms", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_device_task_leased",
        "device_task",
        ["lease_until_ms"],
        unique=False,
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_event_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("device", "log", "code", "time_ms", name=op.f("uq_event_device_log_code_time_ms")),
    )
    op.create_index("ix_event_device", "event", ["device", "time_ms"], unique=False)
    op.create_index("ix_event_time_ms", "event", ["time_ms"], unique=False)
    op.create_table(
        "interval_block",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("series", sa.SmallInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("channels", sa.SmallInteger(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_interval_block_device")),
        sa.PrimaryKeyConstraint("day", "device", "series", "revision", name=op.f("pk_interval_block")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_reading",
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("obis", sa.LargeBinary(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("scaler", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_register_reading_device")),
        sa.PrimaryKeyConstraint("device", "obis", "time_ms", "revision", name=op.f("pk_register_reading")),
        sqlite_with_rowid=False,
    )
    _keep_audit()


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("register_reading")
    op.drop_table("interval_block")
    op.drop_index("ix_event_time_ms", table_name="event")
    op.drop_index("ix_event_device", table_name="event")
    op.drop_table("event")
    op.drop_index(
        "ix_device_task_leased",
        table_name="device_task",
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    )
    op.drop_index(
        "ix_device_task_due",
        table_name="device_task",
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.drop_index("ix_device_task_device", table_name="device_task")
    op.drop_table("device_task")
    op.drop_table("counter")
    op.drop_index("ix_contact_started_ms", table_name="contact")
    op.drop_index("ix_contact_device", table_name="contact")
    op.drop_table("contact")
    op.drop_index("ix_audit_device", table_name="audit")
    op.drop_table("audit")
    op.drop_table("setting")
    op.drop_table("outbox")
    op.drop_index("ix_device_system_title", table_name="device")
    op.drop_index("ix_device_state", table_name="device")
    op.drop_index("ix_device_parent", table_name="device")
    op.drop_index("ix_device_host", table_name="device")
    op.drop_table("device")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_kept")


def _keep_audit() -> None:
    """The database itself refuses to change or delete rows of the audit log."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'rows of the audit log are only added'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_kept_{action.lower()} BEFORE {action} ON audit"
            " BEGIN SELECT RAISE(ABORT, 'rows of the audit log are only added'); END"
        )
