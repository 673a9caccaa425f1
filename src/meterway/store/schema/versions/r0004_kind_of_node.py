"""What a node of a neighbourhood is listed as, and what it calls itself."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns; of nodes that are there already nothing is known."""
    op.add_column("node", sa.Column("role", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("node", sa.Column("name", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("node", "name")
    op.drop_column("node", "role")
