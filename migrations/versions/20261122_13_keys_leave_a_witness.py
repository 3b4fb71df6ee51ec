"""A witness of every key that seals: a constant sealed under it, by which a process sees whether its keys are right."""

from alembic import op

revision = "20261122_13"
down_revision = "20261122_12"
branch_labels = None
depends_on = None

# Nobody's data and no secret: a constant, sealed. It belongs to no insurer, so no wall stands around it.
WITNESSES = """
CREATE TABLE key_witnesses (
    purpose varchar NOT NULL, name varchar NOT NULL, sealed bytea NOT NULL, since timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_key_witnesses PRIMARY KEY (purpose, name)
)
"""


def upgrade() -> None:
    op.execute(WITNESSES)
    op.execute("REVOKE UPDATE ON key_witnesses FROM anze_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON key_witnesses TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
