"""What is rare in the order of its list: major hazards and accidents, and policies whose rate is to be looked at."""

from alembic import op

revision = "20261123_31"
down_revision = "20261123_30"
branch_labels = None
depends_on = None

# On the cases themselves: behind row-level security PostgreSQL only guesses how many there are, and a list that picked
# them elsewhere first put all of them in order (docs/decisions/0060).
INDEXES = (
    "CREATE INDEX ix_cases_own_major ON cases (insurer_id, kind, opened_at, id) WHERE view ->> 'grade' = 'major'",
    "CREATE INDEX ix_cases_major ON cases (kind, opened_at, id) WHERE view ->> 'grade' = 'major'",
    "CREATE INDEX ix_cases_own_rate_review ON cases (insurer_id, kind, opened_at, id) WHERE rate_review",
)


def upgrade() -> None:
    for index in INDEXES:
        op.get_bind().exec_driver_sql(index)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
