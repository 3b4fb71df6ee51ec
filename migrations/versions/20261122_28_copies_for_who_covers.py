"""Who covers for a department whose contact is away, and the copies of its letters; nothing of an insurer's."""

from alembic import op

revision = "20261122_28"
down_revision = "20261122_26"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE covers (
    recipient_id uuid NOT NULL, cover_id uuid NOT NULL, from_on date NOT NULL, until_on date NOT NULL,
    set_by varchar NOT NULL, set_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_covers PRIMARY KEY (recipient_id),
    CONSTRAINT ck_covers_somebody_else CHECK (cover_id <> recipient_id),
    CONSTRAINT ck_covers_days_in_order CHECK (from_on <= until_on),
    CONSTRAINT fk_covers_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT fk_covers_cover_id FOREIGN KEY (cover_id) REFERENCES recipients (id)
);
ALTER TABLE mails ADD COLUMN copy_of uuid, ADD COLUMN copy_for uuid,
    ADD CONSTRAINT ck_mails_copy_is_whole CHECK ((copy_of IS NULL) = (copy_for IS NULL)),
    ADD CONSTRAINT fk_mails_copy_of FOREIGN KEY (copy_of) REFERENCES mails (id),
    ADD CONSTRAINT fk_mails_copy_for FOREIGN KEY (copy_for) REFERENCES recipients (id);
"""
# A mailroom sees who covers for its own recipient; who that is, operators say and take back.
POLICIES = (
    ("recipient", "SELECT",
     "recipient_id = ANY (string_to_array(nullif(current_setting('anze.recipient', true), ''), ',')::uuid[])"),
    ("operator", "ALL", "current_setting('anze.operator', true) = 'on'"),
)  # fmt: skip


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql("ALTER TABLE covers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for name, command, condition in POLICIES:
        check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
        connection.exec_driver_sql(
            f"CREATE POLICY covers_{name} ON covers FOR {command} TO anze_app USING ({condition}){check}"
        )
    connection.exec_driver_sql("REVOKE ALL ON covers FROM anze_app")
    connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE, DELETE ON covers TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
