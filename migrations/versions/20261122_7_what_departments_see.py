"""What departments see, quickly: scopes worked out once a statement, what they were told of, cases in figures."""

from alembic import op

revision = "20261122_7"
down_revision = "20261122_6"
branch_labels = None
depends_on = None

# A case in figures, without its documents: counting a hundred thousand cases must not read their views. Whole 分 are
# summed five times as fast as decimals.
TABLES = """
CREATE TABLE case_figures (
    case_id uuid NOT NULL, insurer_id uuid NOT NULL, kind text NOT NULL, region varchar NOT NULL, sector text NOT NULL,
    stage varchar NOT NULL, major boolean NOT NULL, open_hazards integer NOT NULL, signed_on date NOT NULL,
    opened_at timestamptz NOT NULL, changed_at timestamptz NOT NULL, next_due_at timestamptz, ended_at timestamptz,
    premium_fen bigint, spent_fen bigint, floor_fen bigint,
    CONSTRAINT pk_case_figures PRIMARY KEY (case_id),
    CONSTRAINT fk_case_figures_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id)
) WITH (fillfactor = 80);
CREATE INDEX ix_case_figures_region_sector ON case_figures (region, sector);
CREATE INDEX ix_case_figures_insurer_id ON case_figures (insurer_id);

CREATE INDEX ix_cases_kind_opened_at_id ON cases (kind, opened_at, id);
CREATE INDEX ix_outbox_recipient_id_case_id ON outbox (recipient_id, case_id);
"""

FIGURES = (
    "case_id", "insurer_id", "kind", "region", "sector", "stage", "major", "open_hazards", "signed_on", "opened_at",
    "changed_at", "next_due_at", "ended_at", "premium_fen", "spent_fen", "floor_fen",
)  # fmt: skip
OF_A_CASE = """
    {case}.id, {case}.insurer_id, {case}.kind, {case}.region, {case}.sector, {case}.stage,
    {case}.kind = 'hazard' AND coalesce({case}.view->>'grade', '') = 'major', {case}.open_hazards, {case}.signed_on,
    {case}.opened_at, {case}.changed_at, {case}.next_due_at, {case}.ended_at,
    (({case}.view->'terms'->>'premium_total')::numeric * 100)::bigint, (({case}.view->>'spent')::numeric * 100)::bigint,
    (({case}.view->>'spend_floor')::numeric * 100)::bigint
"""
KEEP_FIGURES = f"""
CREATE FUNCTION keep_case_figures() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO case_figures ({", ".join(FIGURES)}) VALUES ({OF_A_CASE.format(case="NEW")})
    ON CONFLICT (case_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FIGURES[2:])};
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER keep_case_figures AFTER INSERT OR UPDATE ON cases
FOR EACH ROW EXECUTE FUNCTION keep_case_figures()
"""
# The owner is bound by row-level security too, so it is lifted for the length of this transaction.
ADOPT = f"INSERT INTO case_figures ({', '.join(FIGURES)}) SELECT {OF_A_CASE.format(case='c')} FROM cases c"

# Whatever refers to no row stands in a subselect: it is worked out once a statement, not once a row.
TENANT = "insurer_id = (SELECT nullif(current_setting('anze.tenant', true), '')::uuid)"
OPERATOR = "(SELECT current_setting('anze.operator', true) = 'on')"
OFFICE = "nullif(current_setting('anze.office', true), '')::uuid"
# ^@ is leakproof.
PLACES = f"ARRAY(SELECT prefix FROM department_scopes WHERE recipient_id = {OFFICE} AND sector = '*')"
PLACES_OF_SECTORS = (
    f"ARRAY(SELECT sector || prefix FROM department_scopes WHERE recipient_id = {OFFICE} AND sector <> '*')"
)
IN_SCOPE = (
    f"kind IN ('policy', 'hazard') AND (region ^@ ANY ({PLACES}) OR (sector || region) ^@ ANY ({PLACES_OF_SECTORS}))"
)
TOLD = f"id IN (SELECT case_id FROM outbox WHERE recipient_id = {OFFICE})"

POLICIES = (
    ("cases", "office", "SELECT", IN_SCOPE),
    ("cases", "told", "SELECT", TOLD),
    ("timeline", "operator", "SELECT", OPERATOR),
    ("case_figures", "tenant", "ALL", TENANT),
    ("case_figures", "operator", "SELECT", OPERATOR),
    ("case_figures", "office", "SELECT", IN_SCOPE),
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql("ALTER TABLE cases NO FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(ADOPT)
    connection.exec_driver_sql("ALTER TABLE cases FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(KEEP_FIGURES)
    connection.exec_driver_sql(TRIGGER)
    connection.exec_driver_sql("ALTER TABLE case_figures ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql("DROP POLICY cases_office ON cases")
    for table, name, command, condition in POLICIES:
        check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO anze_app USING ({condition}){check}"
        )
    connection.exec_driver_sql("REVOKE ALL ON case_figures FROM anze_app")
    connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE ON case_figures TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
