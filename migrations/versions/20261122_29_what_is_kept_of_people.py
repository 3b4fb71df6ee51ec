"""What is kept of people ends: victims may be erased, and a person may put that off with a reason."""

from alembic import op

revision = "20261122_29"
down_revision = "20261122_28"
branch_labels = None
depends_on = None

# An erased victim is a reference with a day and a reason; nothing half erased is let in.
VICTIMS = """
ALTER TABLE victims ALTER COLUMN name DROP NOT NULL, ADD COLUMN erased_at timestamptz,
    ADD COLUMN erased_because varchar DEFAULT '' NOT NULL,
    ADD CONSTRAINT ck_victims_named_until_erased CHECK (erased_at IS NOT NULL OR (name IS NOT NULL)),
    ADD CONSTRAINT ck_victims_erased_is_empty CHECK (erased_at IS NULL OR (
        num_nonnulls(name, identity_number, bank_account, phone) = 0 AND look_alike = '' AND erased_because <> ''))
"""
HOLDS = """
CREATE TABLE erasure_holds (
    id uuid NOT NULL, insurer_id uuid NOT NULL, case_id uuid NOT NULL, because varchar NOT NULL,
    held_at timestamptz DEFAULT now() NOT NULL, released_at timestamptz, released_because varchar DEFAULT '' NOT NULL,
    CONSTRAINT pk_erasure_holds PRIMARY KEY (id),
    CONSTRAINT fk_erasure_holds_insurer_id_case_id
        FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id)
)
"""
TENANT = "insurer_id = nullif(current_setting('anze.tenant', true), '')::uuid"
STATEMENTS = (
    VICTIMS,
    HOLDS,
    "CREATE INDEX ix_erasure_holds_insurer_id_case_id ON erasure_holds (insurer_id, case_id)",
    "ALTER TABLE erasure_holds ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY erasure_holds_tenant ON erasure_holds FOR ALL TO anze_app USING ({TENANT}) WITH CHECK ({TENANT})",
    "REVOKE ALL ON erasure_holds FROM anze_app",
    "GRANT SELECT, INSERT, UPDATE ON erasure_holds TO anze_app",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
