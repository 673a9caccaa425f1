"""Balances of transformers by day, alarms of neighbourhoods."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "balance",
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("judged_ms", sa.BigInteger(), nullable=False),
        sa.Column("period_s", sa.Integer(), nullable=False),
        sa.Column("intervals", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Integer(), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.SmallInteger(), nullable=False),
        sa.Column("high", sa.SmallInteger(), nullable=False),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("lacking", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Text(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_balance_device")),
        sa.PrimaryKeyConstraint("device", "day", name=op.f("pk_balance")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alarm",
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("cleared_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_alarm_device")),
        sa.PrimaryKeyConstraint("device", "raised_ms", "kind", "subject", name=op.f("pk_alarm")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("alarm")
    op.drop_table("balance")
