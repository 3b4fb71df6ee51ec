"""After a restore: since when the rows are old, and that no payment goes out until a person has compared the books."""

from alembic import op

revision = "20261122_16"
down_revision = "20261122_15"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE restorations (
    id uuid NOT NULL, as_of timestamptz NOT NULL, why varchar NOT NULL, restored_at timestamptz DEFAULT now() NOT NULL,
    released_at timestamptz, released_why varchar,
    CONSTRAINT pk_restorations PRIMARY KEY (id),
    CONSTRAINT ck_restorations_release_has_reason CHECK ((released_at IS NULL) = (released_why IS NULL))
)
"""
INDEX = "CREATE INDEX ix_restorations_held ON restorations (restored_at) WHERE released_at IS NULL"
OPERATOR = "current_setting('anze.operator', true) = 'on'"
POLICIES = (
    # whoever pays must see it; it says nothing of anybody
    "restorations_everybody ON restorations FOR SELECT TO anze_app USING (true)",
    f"restorations_operator ON restorations FOR ALL TO anze_app USING ({OPERATOR}) WITH CHECK ({OPERATOR})",
)


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(TABLE)
    connection.exec_driver_sql(INDEX)
    connection.exec_driver_sql("ALTER TABLE restorations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for policy in POLICIES:
        connection.exec_driver_sql(f"CREATE POLICY {policy}")
    connection.exec_driver_sql("REVOKE ALL ON restorations FROM anze_app")
    connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE ON restorations TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
