"""When the audit trail was verified last is found by an index, however long the trail is."""

from alembic import op

revision = "20261122_18"
down_revision = "20261122_17"
branch_labels = None
depends_on = None

INDEX = "CREATE INDEX ix_audit_verified ON audit (chain, number) WHERE what = 'verified'"


def upgrade() -> None:
    op.execute(INDEX)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
