"""An insurer's cases with provisional dates, in the order of their terms: they come last among all of its terms."""

from alembic import op

revision = "20261123_30"
down_revision = "20261122_27"
branch_labels = None
depends_on = None

INDEX = """
CREATE INDEX ix_cases_own_provisional ON cases (insurer_id, kind, next_due_at, id)
WHERE provisional AND ended_at IS NULL
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEX)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
