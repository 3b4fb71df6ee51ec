"""Many policies out of a few: rows of led cases are copied by SQL under other numbers, insurers, places and sectors."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
from sqlmodel import SQLModel

from api.searching import KEPT_PART
from domain.places import NAMES, NATION
from models.contracts.vocabulary import Sector
from models.tables import cases, matters, outbox

TABLES = (cases, matters, outbox)
"""Importing a module registers its tables."""
AREAS = {"3413": ("341300", 4), "34": ("340100", 2), "3502": ("350200", 4), "22": ("220100", 2), "33": ("330100", 2)}
"""Below which prefix the copies of a led case lie: in every place of its city, or every city of its province."""
PROVINCE_DIGITS = 2
SHARES = (5, 3, 2)
"""Of the copies, by insurer, where there are three."""
OFFICES = ("emergency", "industry", "financial")

# Spread by a hash of the number: the same count gives the same town every time.
COPIES = """
CREATE TABLE bench_copies AS
SELECT n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid AS id, p.id AS proto, p.number AS old_number,
       'ZB-' || lpad(n::text, 7, '0') AS number, x.insurer_id, x.region, x.sector, x.opened_at,
       ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid AS insured_id,
       ('00000000-0000-4000-a000-' || lpad(n::text, 12, '0'))::uuid AS mailbox,
       (ARRAY['宏远','恒安','金川','瑞丰','海通','鑫达','永固','华盛'])[1 + n % 8]
       || (ARRAY['化工','铸造','矿业','运输','建筑','烟花','渔业','水务'])[1 + (n / 8) % 8] || n || '号有限公司' AS name
FROM generate_series(1, $1) n
JOIN (SELECT c.*, row_number() OVER (ORDER BY number) - 1 AS turn, count(*) OVER () AS all_ FROM cases c
      WHERE kind = 'policy') p ON p.turn = n % p.all_
CROSS JOIN LATERAL (
    SELECT ($2::uuid[])[1 + abs(hashint4(n)) % cardinality($2::uuid[])] AS insurer_id,
           ($3::text[])[1 + abs(hashint4(n + 500000)) % cardinality($3::text[])] AS sector,
           (SELECT a.regions[1 + abs(hashint4(n + 1000000)) % cardinality(a.regions)]
            FROM bench_areas a WHERE a.city = p.region) AS region,
           p.opened_at - abs(hashint4(n + 1500000)) % 300000 * interval '86.4 seconds' AS opened_at
) x
"""
ENTERPRISES = (
    "INSERT INTO insureds (id, insurer_id, credit_code, name)"
    " SELECT insured_id, insurer_id, 'ZB' || lpad(n::text, 16, '0'), name FROM bench_copies",
    "INSERT INTO recipients (id, role, insurer_id, insured_id, name, email)"
    " SELECT mailbox, 'insured', insurer_id, insured_id, name, 'zb' || n || '@firm.example' FROM bench_copies",
)
DEPARTMENTS = """
INSERT INTO recipients (id, role, region, department, name, email)
SELECT gen_random_uuid(), role, region, 'bench ' || role, region || ' ' || role, region || '.' || role || '@gov.example'
FROM unnest($1::text[]) region CROSS JOIN unnest($2::text[]) role
"""
SCOPES = """
INSERT INTO department_scopes (recipient_id, prefix, sector)
SELECT id, regexp_replace(regexp_replace(region, '00$', ''), '00$', ''),
       CASE role WHEN 'industry' THEN 'hazardous_chemicals' ELSE '*' END
FROM recipients WHERE department LIKE 'bench %'
"""
WHOLE = 100_000
"""So many copies come with their hazards, claims, record and letters; of those beyond only the policy is listed."""


def _copied(table: str, source: str, changed: Mapping[str, str]) -> str:
    """Rows `p` of a table once more, some columns changed; spelled out, since records made of JSON are slow."""
    names = [column.name for column in SQLModel.metadata.tables[table].columns]
    values = ", ".join(changed.get(name, f"p.{name}") for name in names)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} {source}"


# A term keeps its distance from now or gets a little longer; what is overdue stays overdue.
LATER = "CASE WHEN p.next_due_at > now() THEN p.next_due_at + (c.n % 60) * interval '1 day' ELSE p.next_due_at END"
MINE = {"insurer_id": "c.insurer_id", "region": "c.region", "sector": "c.sector"}
OF_A_CASE = MINE | {
    "workflow_id": "p.workflow_id || '#' || c.n",
    "insured_id": "c.insured_id",
    "insured_name": "c.name",
    "changed_at": "least(c.opened_at + (c.n % 60) * interval '1 day', p.changed_at)",
}
OF_A_POLICY = OF_A_CASE | {"id": "c.id", "number": "c.number", "opened_at": "c.opened_at", "next_due_at": LATER}
POLICIES = _copied(
    "cases", "FROM bench_copies c JOIN cases p ON p.id = c.proto WHERE c.n <= $1",
    OF_A_POLICY | {
        "view": "replace(replace(p.view::text, p.id::text, c.id::text),"
        """ '"' || p.number || '"', '"' || c.number || '"')::jsonb"""
    },
)  # fmt: skip
LISTED = """
CREATE TABLE bench_listed AS
SELECT id AS proto, jsonb_build_object('duties', coalesce(jsonb_path_query_array(view, '$.duties[0]'), '[]'),
       'spent', view->'spent', 'spend_floor', view->'spend_floor') AS view
FROM cases WHERE kind = 'policy'
"""
LISTED_ALONE = _copied(
    "cases",
    "FROM bench_copies c JOIN cases p ON p.id = c.proto JOIN bench_listed l ON l.proto = c.proto WHERE c.n > $1",
    OF_A_POLICY | {"view": "l.view", "clock": "'{}'", "packs": "'[]'"},
)
CHILD = "md5(p.id::text || c.n)::uuid"
CHILDREN = _copied(
    "cases", "FROM bench_copies c JOIN cases p ON p.parent_id = c.proto AND p.kind = $2 WHERE c.n <= $1",
    OF_A_CASE | {
        "id": CHILD,
        "number": "CASE p.kind WHEN 'claim' THEN 'LP-' || c.number ELSE p.number END",
        "parent_id": "c.id",
        "opened_at": "c.opened_at + interval '1 day'",
        "view": f"replace(replace(replace(p.view::text, p.id::text, {CHILD}::text), c.proto::text, c.id::text),"
        """ '"' || c.old_number || '"', '"' || c.number || '"')::jsonb""",
    },
)  # fmt: skip
WHOSE = f"""
CREATE TABLE bench_cases AS
SELECT c.n, c.proto AS old, c.id, c.insurer_id, c.region, c.sector, c.mailbox, c.opened_at, c.number AS policy_number,
       c.name
FROM bench_copies c
UNION ALL
SELECT c.n, p.id, {CHILD}, c.insurer_id, c.region, c.sector, c.mailbox, c.opened_at, c.number, c.name
FROM bench_copies c JOIN cases p ON p.parent_id = c.proto
WHERE c.n <= $1
"""  # noqa: S608 - our words
FIGURES = _copied(
    "case_figures", "FROM bench_cases c JOIN case_figures p ON p.case_id = c.old JOIN cases k ON k.id = c.id",
    MINE | {"case_id": "c.id"} | {
        name: f"k.{name}" for name in ("number", "insured_name", "opened_at", "changed_at", "next_due_at")
    },
)  # fmt: skip
PARTS = f"""
INSERT INTO insured_names (part, insurer_id, insured_id, region, sector)
SELECT substr(c.name, letter, {KEPT_PART}), c.insurer_id, c.insured_id, c.region, c.sector
FROM bench_copies c, generate_series(1, length(c.name)) letter ORDER BY 1 ON CONFLICT DO NOTHING
"""  # noqa: S608 - our words
RECORDS = tuple(
    _copied(
        table,
        f"FROM bench_cases c JOIN {table} p ON p.case_id = c.old WHERE c.n <= $1",
        {"case_id": "c.id", "insurer_id": "c.insurer_id"},
    )
    for table in ("steps", "timeline")
)
ASSIGNED = """
INSERT INTO assignments (policy_id, insurer_id, provider_id)
SELECT c.id, c.insurer_id, a.provider_id FROM bench_copies c
JOIN assignments a ON a.policy_id = c.proto AND a.insurer_id = c.insurer_id WHERE c.n <= $1
"""
SERVED = 2_000
"""Of so many copies those that name a provider are assigned to it: some hundreds, what one has to do."""
HANDS = """
INSERT INTO hands (case_id, insurer_id, user_id, given_by, given_at)
SELECT c.id, c.insurer_id, CASE WHEN c.turn % 50 = 0 AND c.turn <= 50000 THEN u.id ELSE o.id END, u.id, now()
FROM (SELECT *, row_number() OVER (PARTITION BY insurer_id ORDER BY n) AS turn FROM bench_copies) c
JOIN LATERAL (SELECT id FROM users WHERE insurer_id = c.insurer_id AND 'insurer_admin' = ANY (posts) LIMIT 1) u ON true
JOIN LATERAL (SELECT id FROM users
              WHERE insurer_id = c.insurer_id AND kind = 'insurer' AND id <> u.id LIMIT 1) o ON true
"""
"""Every policy is in somebody's hand: one in fifty in the administrator's, who looks, up to a thousand; the others in a
colleague's."""
OFFICERS = """
INSERT INTO users (id, kind, recipient_id, name, email, posts)
SELECT gen_random_uuid(), 'department', id, 'officer ' || n, 'officer' || n || '.' || email, ARRAY['department_officer']
FROM recipients CROSS JOIN generate_series(1, 2) n WHERE department = 'bench emergency' AND region = $1
"""
OFFICE_HANDS = """
INSERT INTO office_hands (recipient_id, case_id, user_id, given_by, given_at)
SELECT o.recipient_id, c.id, o.people[CASE WHEN c.n % 50 = 0 AND c.n <= 250000 THEN 1 ELSE 2 END], o.people[1], now()
FROM (SELECT u.recipient_id, s.prefix, array_agg(u.id ORDER BY u.name) AS people
      FROM users u JOIN department_scopes s USING (recipient_id) WHERE u.name LIKE 'officer %' GROUP BY 1, 2) o
JOIN bench_copies c ON c.region LIKE o.prefix || '%'
"""
"""The same at the one department that has officers."""
OFFICE = "341300"
TO = """
JOIN recipients to_ ON to_.id = p.recipient_id
LEFT JOIN recipients office ON to_.region IS NOT NULL AND office.region = c.region
     AND office.department = 'bench ' || to_.role
LEFT JOIN recipients desk ON to_.insured_id IS NULL AND to_.insurer_id IS NOT NULL AND desk.insurer_id = c.insurer_id
     AND desk.insured_id IS NULL
"""
TOLD_AT = "c.opened_at + interval '1 day'"
ADDRESSED = {
    "case_id": "c.id",
    "insurer_id": "c.insurer_id",
    "recipient_id": "CASE WHEN to_.insured_id IS NOT NULL THEN c.mailbox"
    " ELSE coalesce(office.id, desk.id, p.recipient_id) END",
}
LETTERS = _copied(
    "outbox", f"FROM bench_cases c JOIN outbox p ON p.case_id = c.old {TO} WHERE c.n <= $1",
    ADDRESSED | dict.fromkeys(("at", "queued_at", "told_at"), TOLD_AT) | {
        "id": "md5(p.id::text || c.n)::uuid",
        "notice_key": "p.notice_key || '#' || c.n",
        "mail_id": "NULL",
        "status": "'accepted'",
    },
)  # fmt: skip
MATTERS = _copied(
    "matters", f"FROM bench_cases c JOIN matters p ON p.case_id = c.old {TO} JOIN cases k ON k.id = c.id"
    " WHERE c.n <= $1 ON CONFLICT DO NOTHING",
    MINE | ADDRESSED | {
        "letter_id": "md5(p.letter_id::text || c.n)::uuid",
        "told_at": TOLD_AT,
        "place_at": f"matter_place(p.settled, p.due_at, {TOLD_AT})",
        "number": "k.number",
        "policy_number": "CASE WHEN p.policy_number <> '' THEN c.policy_number ELSE '' END",
        "insured_name": "c.name",
    },
)  # fmt: skip
# An index is built ten times as fast as it is filled row by row.
FILLED = ("cases", "case_figures", "steps", "timeline", "outbox", "matters", "insureds", "recipients")
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
WHERE i.indrelid = ANY ($1::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


async def multiply(admin: asyncpg.Connection, count: int, insurers: Sequence[UUID]) -> None:
    """Copy the policies that are there until there are `count` more, with everything that belongs to them.

    `admin` sees every row; the copies are given to `insurers`, the first has most.
    """
    async with admin.transaction():
        await _copy(admin, count, insurers)
    await admin.execute("VACUUM ANALYZE")


async def _copy(connection: asyncpg.Connection, count: int, insurers: Sequence[UUID]) -> None:
    await connection.execute("CREATE TABLE bench_areas (city text PRIMARY KEY, regions text[])")
    areas = {city: _below(prefix, digits) for prefix, (city, digits) in AREAS.items()}
    await connection.executemany("INSERT INTO bench_areas VALUES ($1, $2)", list(areas.items()))
    weighed = [one for one, share in zip(insurers, SHARES, strict=False) for _ in range(share)]
    await connection.execute(COPIES, count, weighed, [sector.value for sector in Sector])
    for statement in ENTERPRISES:
        await connection.execute(statement)
    places = sorted({place for regions in areas.values() for place in regions} | {"340000", "330000", "220000"})
    await connection.execute(DEPARTMENTS, places, list(OFFICES))
    await connection.execute(SCOPES)
    await connection.execute("ANALYZE bench_copies")
    # Figures and keys hold by construction: working them out a million times is not what is measured.
    await connection.execute("SET LOCAL session_replication_role = replica")
    indexes = await connection.fetch(INDEXES, list(FILLED))
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    await _fill(connection)
    await connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for index in indexes:
        await connection.execute(index["definition"])


async def _fill(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE INDEX bench_protos ON cases (parent_id)")
    await connection.execute(WHOSE, WHOLE)
    await connection.execute(LISTED)
    for kind in ("hazard", "claim"):
        await connection.execute(CHILDREN, WHOLE, kind)
    for statement in (POLICIES, LISTED_ALONE):
        await connection.execute(statement, WHOLE)
    await connection.execute("DROP INDEX bench_protos")
    await connection.execute("CREATE INDEX ON bench_cases (old)")
    await connection.execute("ANALYZE bench_cases")
    await connection.execute(FIGURES)
    await connection.execute(PARTS)
    await connection.execute(ASSIGNED, SERVED)
    await connection.execute(HANDS)
    await connection.execute(OFFICERS, OFFICE)
    await connection.execute(OFFICE_HANDS)
    for statement in (*RECORDS, LETTERS, MATTERS):
        await connection.execute(statement, WHOLE)


def _below(prefix: str, digits: int) -> list[str]:
    """The places below a prefix: districts of a city, or cities of a province that are not an area of their own."""
    others = [one for one in AREAS if len(one) > len(prefix)]
    return [
        code
        for code in NAMES
        if code != NATION
        and code.startswith(prefix)
        and (digits > PROVINCE_DIGITS or (code.endswith("00") and not code.endswith("0000")))
        and not any(code.startswith(one) for one in others)
    ]
