"""The schema: tables described once (SQLAlchemy Core), and the migrations that lead to them (Alembic)."""
