"""Who serves and how it is rated, in figures; an insurer's first page is counted from indexes alone."""

from alembic import op

revision = "20261122_10"
down_revision = "20261122_9"
branch_labels = None
depends_on = None

# What row-level security asks of a row (kind, region, sector) stands in each index, so that no row is opened.
INDEXES = """
DROP INDEX ix_case_figures_own_terms;
CREATE INDEX ix_case_figures_own_terms ON case_figures (insurer_id, next_due_at) INCLUDE (kind, region, sector)
    WHERE ended_at IS NULL;
CREATE INDEX ix_case_figures_running ON case_figures (insurer_id, kind, stage)
    INCLUDE (region, sector, provisional, major, assessed_fen, reached_fen) WHERE ended_at IS NULL;
CREATE INDEX ix_case_figures_providers ON case_figures (insurer_id, provider_name)
    INCLUDE (kind, region, sector, stage, service_next, next_due_at, rated, attitude, professionalism, timeliness)
    WHERE ended_at IS NULL AND provider_name IS NOT NULL;
"""
COLUMNS = """
ALTER TABLE case_figures ADD COLUMN provider_name varchar, ADD COLUMN service_next boolean, ADD COLUMN rated integer,
    ADD COLUMN attitude integer, ADD COLUMN professionalism integer, ADD COLUMN timeliness integer
"""
REQUIRED = "ALTER TABLE case_figures ALTER COLUMN service_next SET NOT NULL, ALTER COLUMN rated SET NOT NULL"
RATINGS = "jsonb_array_elements(coalesce({case}.view->'ratings', '[]'::jsonb)) one"
STARS = "(SELECT sum((one->'stars'->>'{name}')::int) FROM " + RATINGS + ")"
MORE = {
    "provider_name": "{case}.view->>'provider_name'",
    "service_next": "coalesce({case}.next_duty LIKE 'service_completion%', false)",
    "rated": "(SELECT count(*) FROM " + RATINGS + ")",
    **{name: STARS.replace("{name}", name) for name in ("attitude", "professionalism", "timeliness")},
}
MONEY = "(({case}.view->'money'->>'{name}')::numeric * 100)::bigint"
FIGURES = {
    "case_id": "{case}.id",
    "insurer_id": "{case}.insurer_id",
    "kind": "{case}.kind",
    "region": "{case}.region",
    "sector": "{case}.sector",
    "stage": "{case}.stage",
    "major": "{case}.kind = 'hazard' AND coalesce({case}.view->>'grade', '') = 'major'",
    "open_hazards": "{case}.open_hazards",
    "signed_on": "{case}.signed_on",
    "opened_at": "{case}.opened_at",
    "changed_at": "{case}.changed_at",
    "next_due_at": "{case}.next_due_at",
    "ended_at": "{case}.ended_at",
    "premium_fen": "(({case}.view->'terms'->>'premium_total')::numeric * 100)::bigint",
    "spent_fen": "(({case}.view->>'spent')::numeric * 100)::bigint",
    "floor_fen": "(({case}.view->>'spend_floor')::numeric * 100)::bigint",
    "number": "{case}.number",
    "insured_name": "{case}.insured_name",
    "provisional": "{case}.provisional",
    # The insured or a colleague waits for the insurer's own word.
    "waiting": "{case}.ended_at IS NULL AND coalesce(CASE {case}.kind WHEN 'hazard' THEN"
    " {case}.view->>'objection' IS NOT NULL OR {case}.view->>'more_time' IS NOT NULL WHEN 'claim' THEN"
    """ {case}.view @> '{{"payments": [{{"status": "proposed"}}]}}' END, false)""",
    "assessed_fen": MONEY.replace("{name}", "assessed"),
    "reached_fen": f"{MONEY.replace('{name}', 'paid')} + {MONEY.replace('{name}', 'prepaid')}"
    f" + {MONEY.replace('{name}', 'advanced')} - {MONEY.replace('{name}', 'recovered')}",
    **MORE,
}
# A view written before there was a provider in it unnames nobody.
KEPT = {name: f"excluded.{name}" for name in FIGURES if name not in ("case_id", "insurer_id")} | {
    "provider_name": "coalesce(excluded.provider_name, case_figures.provider_name)"
}
KEEP_FIGURES = f"""
CREATE OR REPLACE FUNCTION keep_case_figures() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO case_figures ({", ".join(FIGURES)})
    VALUES ({", ".join(told.format(case="NEW") for told in FIGURES.values())})
    ON CONFLICT (case_id) DO UPDATE SET {", ".join(f"{name} = {kept}" for name, kept in KEPT.items())};
    RETURN NULL;
END $$
"""
ADOPT = f"""
UPDATE case_figures f SET {", ".join(f"{name} = {told.format(case='c')}" for name, told in MORE.items())}
FROM cases c WHERE c.id = f.case_id
"""
# Until now who serves stood in the record of commands alone: the one named last counts.
NAMED = """
UPDATE case_figures f SET provider_name = named.name
FROM (SELECT DISTINCT ON (case_id) case_id, cause->'body'->'command'->>'provider_name' AS name FROM steps
      WHERE command_name = 'NameProvider' ORDER BY case_id, seq DESC) named
WHERE named.case_id = f.case_id
"""
BOUND = ("cases", "case_figures", "steps")


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(COLUMNS)
    for table in BOUND:  # the owner is bound by row-level security too, so it is lifted for this transaction
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(ADOPT)
    connection.exec_driver_sql(NAMED)
    for table in BOUND:
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(REQUIRED)
    connection.exec_driver_sql(KEEP_FIGURES)
    for statement in INDEXES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
