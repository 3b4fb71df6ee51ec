"""Lists that stay quick at a hundred thousand policies: indexes in their order, and what is searched and counted."""

from alembic import op

revision = "20261122_9"
down_revision = "20261122_7"
branch_labels = None
depends_on = None

# An insurer's lists begin with the insurer, so that a small one does not read past the rows of a large one; terms
# stand in their own order, without those of ended cases.
INDEXES = """
CREATE INDEX ix_cases_insurer_id_kind_opened_at_id ON cases (insurer_id, kind, opened_at, id);
CREATE INDEX ix_cases_own_terms ON cases (insurer_id, kind, next_due_at, id) WHERE ended_at IS NULL;
CREATE INDEX ix_cases_terms ON cases (kind, next_due_at, id) WHERE ended_at IS NULL;
CREATE INDEX ix_cases_insured_id_opened_at ON cases (insured_id, opened_at);
CREATE INDEX ix_outbox_queued ON outbox (queued_at) WHERE status = 'queued';
CREATE INDEX ix_case_figures_own_terms ON case_figures (insurer_id, next_due_at) WHERE ended_at IS NULL;
CREATE INDEX ix_case_figures_waiting ON case_figures (insurer_id, changed_at) WHERE waiting;
"""
# What people search by and what an insurer's first page counts, beside what departments count by.
COLUMNS = """
ALTER TABLE case_figures ADD COLUMN number varchar, ADD COLUMN insured_name varchar, ADD COLUMN provisional boolean,
    ADD COLUMN waiting boolean, ADD COLUMN assessed_fen bigint, ADD COLUMN reached_fen bigint
"""
REQUIRED = """
ALTER TABLE case_figures ALTER COLUMN number SET NOT NULL, ALTER COLUMN insured_name SET NOT NULL,
    ALTER COLUMN provisional SET NOT NULL, ALTER COLUMN waiting SET NOT NULL
"""
MONEY = "(({case}.view->'money'->>'{name}')::numeric * 100)::bigint"
MORE = {
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
}
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
    **MORE,
}
KEPT = [name for name in FIGURES if name not in ("case_id", "insurer_id")]
KEEP_FIGURES = f"""
CREATE OR REPLACE FUNCTION keep_case_figures() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO case_figures ({", ".join(FIGURES)})
    VALUES ({", ".join(told.format(case="NEW") for told in FIGURES.values())})
    ON CONFLICT (case_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in KEPT)};
    RETURN NULL;
END $$
"""
ADOPT = f"""
UPDATE case_figures f SET {", ".join(f"{name} = {told.format(case='c')}" for name, told in MORE.items())}
FROM cases c WHERE c.id = f.case_id
"""
BOUND = ("cases", "case_figures")


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(COLUMNS)
    for table in BOUND:  # the owner is bound by row-level security too, so it is lifted for this transaction
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(ADOPT)
    for table in BOUND:
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(REQUIRED)
    connection.exec_driver_sql(KEEP_FIGURES)
    for statement in INDEXES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
