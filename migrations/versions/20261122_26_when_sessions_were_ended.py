"""When the sessions of a user were last ended: what the identity provider said before that lets nobody in any more."""

from alembic import op

revision = "20261122_26"
down_revision = "20261122_25"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN sessions_ended_at timestamptz")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
