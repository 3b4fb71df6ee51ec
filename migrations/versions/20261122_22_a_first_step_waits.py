"""Attempts at the first step of a case wait for each other: cases have other unique keys than the one asked for."""

from alembic import op

revision = "20261122_22"
down_revision = "20261122_21"
branch_labels = None
depends_on = None

STEP = "record_step(jsonb, uuid[], text[], jsonb)"
# ON CONFLICT (id) settles that key alone: two attempts at once may still collide on the workflow's name and be refused.
BEFORE = "INSERT INTO cases VALUES (now_.*) ON CONFLICT (id) DO NOTHING;"
AFTER = f"PERFORM lock_matters(ARRAY[now_.id]);\n        {BEFORE}"


def upgrade() -> None:
    connection = op.get_bind()
    written = connection.exec_driver_sql(f"SELECT pg_get_functiondef('{STEP}'::regprocedure)").scalar_one()
    if written.count(BEFORE) != 1:
        raise RuntimeError(f"{STEP} is not as migration 20261122_14 wrote it")
    connection.exec_driver_sql(written.replace(BEFORE, AFTER))


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
