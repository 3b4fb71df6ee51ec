"""Sessions end with what they came by: an insurer ends those of its recipients, and of a user it has just looked up."""

from alembic import op

revision = "20261122_12"
down_revision = "20261122_11"
branch_labels = None
depends_on = None

TENANT = "nullif(current_setting('anze.tenant', true), '')::uuid"
# By key, row by row: an insurer may have a hundred thousand recipients.
OF_ITS_RECIPIENTS = (
    f"EXISTS (SELECT 1 FROM recipients r WHERE r.id = sessions.recipient_id AND r.insurer_id = (SELECT {TENANT}))"
)
# Not by asking users: what may be seen of users is itself asked of sessions. Whoever names one has looked it up.
OF_THE_USER = "user_id = nullif(current_setting('anze.user', true), '')::uuid"

POLICIES = (
    ("sessions", "tenant", "SELECT", OF_ITS_RECIPIENTS),
    ("sessions", "tenant_ends", "UPDATE", OF_ITS_RECIPIENTS),
    ("sessions", "user", "SELECT", OF_THE_USER),
    ("sessions", "user_ends", "UPDATE", OF_THE_USER),
)


def upgrade() -> None:
    connection = op.get_bind()
    for table, name, command, condition in POLICIES:
        check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO anze_app USING ({condition}){check}"
        )


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
