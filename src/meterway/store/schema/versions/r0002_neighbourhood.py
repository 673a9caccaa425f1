"""Nodes of neighbourhoods, bulk reports that were taken, orders to groups."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "node",
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("nnap", sa.BigInteger(), nullable=False),
        sa.Column("eui", sa.LargeBinary(), nullable=False),
        sa.Column("parent", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("hops", sa.SmallInteger(), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("sap", sa.Integer(), nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), nullable=False),
        sa.Column("joined_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_node_device")),
        sa.ForeignKeyConstraint(["nnap"], ["device.id"], name=op.f("fk_node_nnap")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_node")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_node_nnap", "node", ["nnap"], unique=False)
    op.create_table(
        "report",
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name=op.f("fk_report_device")),
        sa.PrimaryKeyConstraint("device", "name", name=op.f("pk_report")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "group_order",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("document", sa.Text(), server_default="{}", nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_group_order")),
    )
    op.create_index("ix_group_order_changed_ms", "group_order", ["changed_ms"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_group_order_changed_ms", table_name="group_order")
    op.drop_table("group_order")
    op.drop_table("report")
    op.drop_index("ix_node_nnap", table_name="node")
    op.drop_table("node")
