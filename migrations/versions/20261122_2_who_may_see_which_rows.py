"""Who may see which rows: row-level security by transaction-local settings, and the rights of the application."""

from alembic import op

revision = "20261122_2"
down_revision = "20261122_1"
branch_labels = None
depends_on = None

TENANT = "insurer_id = nullif(current_setting('anze.tenant', true), '')::uuid"
# A comma-separated list, so that a mailroom can hand a refused notice to the recipient that takes over.
NAMED = "ANY (string_to_array(nullif(current_setting('anze.recipient', true), ''), ',')::uuid[])"
ADDRESSED = f"recipient_id = {NAMED}"
OPERATOR = "current_setting('anze.operator', true) = 'on'"
LINK = "token_hash = nullif(current_setting('anze.link', true), '')"
KEY = "key_hash = nullif(current_setting('anze.key', true), '')"
OF_A_MAIL = "EXISTS (SELECT 1 FROM mails WHERE mails.id = attempts.mail_id)"
OF_A_LINK = "EXISTS (SELECT 1 FROM links WHERE links.id = link_uses.link_id)"

# Table, name of the policy, command, condition. Conditions of one table are alternatives.
POLICIES = (
    ("insurers", "everybody", "SELECT", "true"),
    ("insurers", "operator", "ALL", OPERATOR),
    ("insureds", "tenant", "ALL", TENANT),
    ("insureds", "operator", "ALL", OPERATOR),
    ("recipients", "tenant", "ALL", TENANT),
    ("recipients", "everybody", "SELECT", "insurer_id IS NULL"),
    ("recipients", "recipient", "SELECT", f"id = {NAMED}"),
    ("recipients", "operator", "ALL", OPERATOR),
    ("api_keys", "tenant", "ALL", TENANT),
    ("api_keys", "key", "SELECT", KEY),
    ("api_keys", "operator", "ALL", OPERATOR),
    ("cases", "tenant", "ALL", TENANT),
    ("cases", "operator", "SELECT", OPERATOR),
    ("steps", "tenant", "ALL", TENANT),
    ("timeline", "tenant", "ALL", TENANT),
    ("commands", "tenant", "ALL", TENANT),
    ("files", "tenant", "ALL", TENANT),
    ("outbox", "tenant", "ALL", TENANT),
    ("outbox", "recipient", "SELECT", ADDRESSED),
    ("outbox", "recipient_told", "UPDATE", ADDRESSED),
    ("outbox", "operator", "SELECT", OPERATOR),
    ("outbox", "operator_readdresses", "UPDATE", OPERATOR),
    ("mails", "recipient", "ALL", ADDRESSED),
    ("mails", "operator", "SELECT", OPERATOR),
    ("attempts", "recipient", "ALL", OF_A_MAIL),
    ("links", "tenant", "ALL", TENANT),
    ("links", "recipient", "ALL", ADDRESSED),
    ("links", "token", "SELECT", LINK),
    ("link_uses", "link", "ALL", OF_A_LINK),
    ("tasks", "tenant", "ALL", TENANT),
    ("tasks", "recipient", "ALL", ADDRESSED),
    ("tasks", "operator", "ALL", OPERATOR),
)
KEPT = "steps, timeline, commands, link_uses"
CHANGING = "insurers, insureds, recipients, api_keys, cases, files, outbox, mails, attempts, links, tasks"


def upgrade() -> None:
    connection = op.get_bind()
    for table in dict.fromkeys(policy[0] for policy in POLICIES):
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for policy in POLICIES:
        connection.exec_driver_sql(_policy(*policy))
    # What is written stays written: no DELETE but of nudges, no UPDATE of the record.
    connection.exec_driver_sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM anze_app")
    connection.exec_driver_sql("GRANT SELECT ON alembic_version TO anze_app")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT ON {KEPT} TO anze_app")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE ON {CHANGING} TO anze_app")
    # UPDATE, because a row is locked before it is taken (FOR UPDATE SKIP LOCKED).
    connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE, DELETE ON nudges TO anze_app")
    connection.exec_driver_sql("GRANT USAGE ON SEQUENCE nudges_id_seq TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")


def _policy(table: str, name: str, command: str, condition: str) -> str:
    check = "" if command == "SELECT" else f" WITH CHECK ({condition})"
    return f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO anze_app USING ({condition}){check}"
