"""Who has a case in hand: one person of the insurer, one of each department; organisation of work, no legal step."""

from alembic import op

revision = "20261122_27"
down_revision = "20261122_29"
branch_labels = None
depends_on = None

# That a hand is of the organisation it is kept for, the keys say; whether it may still act is asked when it is read.
TABLES = """
ALTER TABLE users ADD CONSTRAINT uq_users_insurer_id_id UNIQUE (insurer_id, id),
    ADD CONSTRAINT uq_users_recipient_id_id UNIQUE (recipient_id, id);
CREATE TABLE hands (
    case_id uuid NOT NULL, insurer_id uuid NOT NULL, user_id uuid NOT NULL, given_by uuid NOT NULL,
    given_at timestamptz NOT NULL,
    CONSTRAINT pk_hands PRIMARY KEY (case_id),
    CONSTRAINT fk_hands_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT fk_hands_insurer_id_user_id FOREIGN KEY (insurer_id, user_id) REFERENCES users (insurer_id, id),
    CONSTRAINT fk_hands_insurer_id_given_by FOREIGN KEY (insurer_id, given_by) REFERENCES users (insurer_id, id)
);
CREATE INDEX ix_hands_user_id_case_id ON hands (user_id, case_id);
CREATE TABLE office_hands (
    recipient_id uuid NOT NULL, case_id uuid NOT NULL, user_id uuid NOT NULL, given_by uuid NOT NULL,
    given_at timestamptz NOT NULL,
    CONSTRAINT pk_office_hands PRIMARY KEY (recipient_id, case_id),
    CONSTRAINT fk_office_hands_case_id FOREIGN KEY (case_id) REFERENCES cases (id),
    CONSTRAINT fk_office_hands_recipient_id_user_id FOREIGN KEY (recipient_id, user_id)
        REFERENCES users (recipient_id, id),
    CONSTRAINT fk_office_hands_recipient_id_given_by FOREIGN KEY (recipient_id, given_by)
        REFERENCES users (recipient_id, id)
);
CREATE INDEX ix_office_hands_user_id_case_id ON office_hands (user_id, case_id)
"""
TENANT = "insurer_id = (SELECT nullif(current_setting('anze.tenant', true), '')::uuid)"
OFFICE = "recipient_id = (SELECT nullif(current_setting('anze.office', true), '')::uuid)"
# Whatever refers to no row stands in a subselect: it is worked out once a statement, not once a row.
POLICIES = (
    ("hands", "tenant", "ALL", TENANT),
    ("office_hands", "office", "ALL", OFFICE),
    ("users", "office", "SELECT", OFFICE),
)
NEW = ("hands", "office_hands")


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        connection.exec_driver_sql(statement)
    for table in NEW:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for table, name, command, condition in POLICIES:
        check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO anze_app USING ({condition}){check}"
        )
    connection.exec_driver_sql(f"REVOKE ALL ON {', '.join(NEW)} FROM anze_app")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(NEW)} TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
