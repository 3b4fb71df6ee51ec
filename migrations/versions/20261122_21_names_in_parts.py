"""A part of a name and how a number begins are found by an index: names in parts, written as a case is opened."""

from alembic import op

revision = "20261122_21"
down_revision = "20261122_20"
branch_labels = None
depends_on = None

# Every beginning of what is left of a name from each of its letters: comparing texts is leakproof, so that this index
# serves behind row-level security, which no search in a text or an array does. No step of a running case writes here.
TABLE = """
CREATE TABLE insured_names (
    part varchar NOT NULL, insurer_id uuid NOT NULL, insured_id uuid NOT NULL, region varchar NOT NULL,
    sector text NOT NULL
)
"""
KEY = """
ALTER TABLE insured_names
    ADD CONSTRAINT pk_insured_names PRIMARY KEY (part, insurer_id, insured_id, region, sector)
"""
LONGEST = 16
PARTS = f"""
    SELECT DISTINCT substr({{case}}.insured_name, n, {LONGEST}) AS part, {{case}}.insurer_id, {{case}}.insured_id,
        {{case}}.region, {{case}}.sector
"""
COLUMNS = "part, insurer_id, insured_id, region, sector"
# In one order, so that two cases of one enterprise opened at once wait for each other and never both.
KEEP_NAMES = f"""
CREATE FUNCTION keep_insured_names() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO insured_names ({COLUMNS})
    {PARTS.format(case="NEW")} FROM generate_series(1, length(NEW.insured_name)) n ORDER BY part
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
NAMES = "{0}.insured_name, {0}.insured_id, {0}.region, {0}.sector"
TRIGGERS = (
    "CREATE TRIGGER keep_insured_names AFTER INSERT ON cases FOR EACH ROW EXECUTE FUNCTION keep_insured_names()",
    "CREATE TRIGGER keep_changed_names AFTER UPDATE ON cases FOR EACH ROW"
    f" WHEN (({NAMES.format('OLD')}) IS DISTINCT FROM ({NAMES.format('NEW')})) EXECUTE FUNCTION keep_insured_names()",
)
ADOPT = f"""
INSERT INTO insured_names ({COLUMNS})
{PARTS.format(case="c")}
FROM (SELECT DISTINCT insured_name, insurer_id, insured_id, region, sector FROM cases) c,
    generate_series(1, length(c.insured_name)) n
"""
NUMBERS = """
DROP INDEX ix_case_figures_names;
CREATE INDEX ix_case_figures_numbers ON case_figures (insurer_id, kind, number) INCLUDE (case_id, region, sector)
"""

# As migration 20261122_7 says it of cases; whatever refers to no row is worked out once a statement.
TENANT = "insurer_id = (SELECT nullif(current_setting('anze.tenant', true), '')::uuid)"
OPERATOR = "(SELECT current_setting('anze.operator', true) = 'on')"
OFFICE = "nullif(current_setting('anze.office', true), '')::uuid"
PLACES = f"ARRAY(SELECT prefix FROM department_scopes WHERE recipient_id = {OFFICE} AND sector = '*')"
PLACES_OF_SECTORS = (
    f"ARRAY(SELECT sector || prefix FROM department_scopes WHERE recipient_id = {OFFICE} AND sector <> '*')"
)
IN_SCOPE = f"region ^@ ANY ({PLACES}) OR (sector || region) ^@ ANY ({PLACES_OF_SECTORS})"
POLICIES = (("tenant", "ALL", TENANT), ("operator", "SELECT", OPERATOR), ("office", "SELECT", IN_SCOPE))


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(TABLE)
    # the owner is bound by row-level security too, so it is lifted for this transaction
    connection.exec_driver_sql("ALTER TABLE cases NO FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(ADOPT)
    connection.exec_driver_sql("ALTER TABLE cases FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(KEY)
    connection.exec_driver_sql(KEEP_NAMES)
    for trigger in TRIGGERS:
        connection.exec_driver_sql(trigger)
    for statement in NUMBERS.split(";\n"):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("ALTER TABLE insured_names ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for name, command, condition in POLICIES:
        check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
        connection.exec_driver_sql(
            f"CREATE POLICY insured_names_{name} ON insured_names FOR {command} TO anze_app USING ({condition}){check}"
        )
    connection.exec_driver_sql("REVOKE ALL ON insured_names FROM anze_app")
    connection.exec_driver_sql("GRANT SELECT, INSERT ON insured_names TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
