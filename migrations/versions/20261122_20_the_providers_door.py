"""The provider's door: a register of service providers, whom each policy names now, and what those see of cases."""

from alembic import op

revision = "20261122_20"
down_revision = "20261122_19"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE providers (
    id uuid NOT NULL, insurer_id uuid NOT NULL, credit_code varchar NOT NULL, name varchar NOT NULL,
    qualification varchar, email varchar NOT NULL, created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_providers PRIMARY KEY (id),
    CONSTRAINT uq_providers_insurer_id_credit_code UNIQUE (insurer_id, credit_code),
    CONSTRAINT uq_providers_insurer_id_id UNIQUE (insurer_id, id),
    CONSTRAINT fk_providers_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id)
);
CREATE TABLE assignments (
    policy_id uuid NOT NULL, insurer_id uuid NOT NULL, provider_id uuid,
    CONSTRAINT pk_assignments PRIMARY KEY (policy_id),
    CONSTRAINT fk_assignments_insurer_id_policy_id FOREIGN KEY (insurer_id, policy_id)
        REFERENCES cases (insurer_id, id)
);
CREATE INDEX ix_assignments_provider_id ON assignments (provider_id);
ALTER TABLE users ADD COLUMN provider_id uuid,
    DROP CONSTRAINT ck_users_insurer_user_has_insurer,
    ADD CONSTRAINT ck_users_insurers_people CHECK ((kind IN ('insurer', 'provider')) = (insurer_id IS NOT NULL)),
    ADD CONSTRAINT ck_users_assessor_has_provider CHECK ((kind = 'provider') = (provider_id IS NOT NULL)),
    ADD CONSTRAINT fk_users_insurer_id_provider_id FOREIGN KEY (insurer_id, provider_id)
        REFERENCES providers (insurer_id, id);
DROP INDEX ix_cases_provisional;
CREATE INDEX ix_cases_provisional ON cases (calendar_through, id) INCLUDE (insurer_id, insured_id, parent_id, kind,
    region, sector, ended_at) WHERE provisional
"""
# Written by the step that names somebody, so that the former one is out with the next request (promises.md P21).
KEEP_ASSIGNMENT = """
CREATE FUNCTION keep_assignment() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO assignments (policy_id, insurer_id, provider_id)
    VALUES (NEW.id, NEW.insurer_id, (NEW.view->>'provider_id')::uuid)
    ON CONFLICT (policy_id) DO UPDATE SET provider_id = excluded.provider_id;
    RETURN NULL;
END $$
"""
TRIGGERS = (
    "CREATE TRIGGER begin_assignment AFTER INSERT ON cases FOR EACH ROW"
    " WHEN (NEW.kind = 'policy' AND NEW.view->>'provider_id' IS NOT NULL) EXECUTE FUNCTION keep_assignment()",
    "CREATE TRIGGER keep_assignment AFTER UPDATE ON cases FOR EACH ROW"
    " WHEN (NEW.kind = 'policy' AND NEW.view->>'provider_id' IS DISTINCT FROM OLD.view->>'provider_id')"
    " EXECUTE FUNCTION keep_assignment()",
)

TENANT = "insurer_id = (SELECT nullif(current_setting('anze.tenant', true), '')::uuid)"
OPERATOR = "(SELECT current_setting('anze.operator', true) = 'on')"
PROVIDER = "(SELECT nullif(current_setting('anze.provider', true), '')::uuid)"
# Whatever refers to no row stands in a subselect: it is worked out once a statement, not once a row.
ASSIGNED = (
    "kind IN ('policy', 'hazard') AND coalesce(parent_id, id) IN"
    f" (SELECT policy_id FROM assignments WHERE provider_id = {PROVIDER})"
)
# Its own subselect sees through the policies of cases: what of a case is visible, of that its record is.
OF_A_CASE = f"{PROVIDER} IS NOT NULL AND EXISTS (SELECT 1 FROM cases WHERE cases.id = {{table}}.case_id)"
OF_A_USER = "EXISTS (SELECT 1 FROM users WHERE users.provider_id = providers.id)"

POLICIES = (
    ("providers", "tenant", "ALL", TENANT),
    ("providers", "operator", "SELECT", OPERATOR),
    ("providers", "session", "SELECT", OF_A_USER),
    ("assignments", "tenant", "ALL", TENANT),
    ("assignments", "provider", "SELECT", f"provider_id = {PROVIDER}"),
    ("cases", "provider", "SELECT", ASSIGNED),
    ("steps", "provider", "SELECT", OF_A_CASE.format(table="steps")),
    ("timeline", "provider", "SELECT", OF_A_CASE.format(table="timeline")),
)
NEW = ("providers", "assignments")


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(KEEP_ASSIGNMENT)
    for trigger in TRIGGERS:
        connection.exec_driver_sql(trigger)
    for table in NEW:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for table, name, command, condition in POLICIES:
        check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO anze_app USING ({condition}){check}"
        )
    connection.exec_driver_sql(f"REVOKE ALL ON {', '.join(NEW)} FROM anze_app")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(NEW)} TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
