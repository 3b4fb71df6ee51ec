"""An order knows which attempt sends it, so that a worker that was overtaken changes nothing of it."""

from alembic import op

revision = "20261122_19"
down_revision = "20261122_18"
branch_labels = None
depends_on = None

COLUMN = "ALTER TABLE payment_orders ADD COLUMN attempt integer NOT NULL DEFAULT 0"


def upgrade() -> None:
    op.execute(COLUMN)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
