"""Overviews, totals of spending and provisional terms are counted from indexes alone; two indexes nobody used go."""

from alembic import op

revision = "20261122_17"
down_revision = "20261122_16"
branch_labels = None
depends_on = None

# What row-level security asks of a row stands in each index, so that no row is opened.
INDEXES = """
DROP INDEX ix_case_figures_region_sector;
CREATE INDEX ix_case_figures_scope ON case_figures (kind, region, sector) INCLUDE (insurer_id, stage, signed_on,
    opened_at, ended_at, next_due_at, changed_at, major, premium_fen, spent_fen, floor_fen);
DROP INDEX ix_case_figures_running;
CREATE INDEX ix_case_figures_running ON case_figures (insurer_id, kind, stage) INCLUDE (region, sector, provisional,
    major, assessed_fen, reached_fen, premium_fen, spent_fen, floor_fen) WHERE ended_at IS NULL;
DROP INDEX ix_case_figures_insurer_id;
CREATE INDEX ix_case_figures_names ON case_figures (insurer_id, kind) INCLUDE (number, insured_name, case_id, region,
    sector);
DROP INDEX ix_cases_provisional;
CREATE INDEX ix_cases_provisional ON cases (calendar_through, id) INCLUDE (insurer_id, insured_id, kind, region, sector,
    ended_at) WHERE provisional;
DROP INDEX ix_cases_next_due_at
"""


def upgrade() -> None:
    for statement in INDEXES.split(";\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
