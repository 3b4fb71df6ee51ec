"""A user is a membership: several organisations may register one address; a session may begin by a choice."""

from alembic import op

revision = "20261122_24"
down_revision = "20261122_23"
branch_labels = None
depends_on = None

# Who belongs to the operators has none of the three, and is one organisation all the same: NULLs are not distinct.
ORGANISATION = "insurer_id, recipient_id, provider_id"
MEMBERSHIPS = f"""
ALTER TABLE users
    DROP CONSTRAINT uq_users_email,
    DROP CONSTRAINT uq_users_issuer_subject,
    ADD CONSTRAINT uq_users_email_insurer_id_recipient_id_provider_id
        UNIQUE NULLS NOT DISTINCT (email, {ORGANISATION})
"""
# Whoever has not entered yet is bound to nobody: their NULLs would not be distinct either.
BOUND = f"""
CREATE UNIQUE INDEX ix_users_bound ON users (issuer, subject, {ORGANISATION}) NULLS NOT DISTINCT
    WHERE issuer IS NOT NULL
"""
CHOICES = """
ALTER TABLE sessions
    ADD COLUMN choice uuid,
    ADD COLUMN vouched_email varchar,
    ADD CONSTRAINT uq_sessions_choice UNIQUE (choice),
    ADD CONSTRAINT ck_sessions_choice_is_whole CHECK ((choice IS NULL) = (vouched_email IS NULL)),
    ADD CONSTRAINT ck_sessions_users_choose CHECK (choice IS NULL OR user_id IS NOT NULL)
"""


def upgrade() -> None:
    for statement in (MEMBERSHIPS, BOUND, CHOICES):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
