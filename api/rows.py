"""The tables as SQL sees them, for plain selects; the classes that define them stand in models/tables."""

from sqlalchemy import Table, column, table
from sqlmodel import SQLModel

from models.tables import access, audit, cases, claims, hands, matters, outbox, parties, people, providers

TABLES = SQLModel.metadata.tables


def _table(row: type[SQLModel]) -> Table:
    return TABLES[str(row.__tablename__)]


API_KEYS = _table(parties.ApiKey)
INSURERS = _table(parties.Insurer)
INSUREDS = _table(parties.Insured)
RECIPIENTS = _table(parties.Recipient)
COVERS = _table(parties.Cover)
CASES = _table(cases.Case)
CASE_FIGURES = _table(cases.CaseFigures)
HANDS = _table(hands.Hand)
OFFICE_HANDS = _table(hands.OfficeHand)
INSURED_NAMES = _table(cases.InsuredName)
STEPS = _table(cases.RecordedStep)
TIMELINE = _table(cases.TimelineLine)
AUDIT = _table(audit.AuditRow)
AUDIT_HEADS = _table(audit.AuditHead)
COMMANDS = _table(cases.RecordedCommand)
FILES = _table(cases.StoredFile)
OUTBOX = _table(outbox.OutboxNotice)
MATTERS = _table(matters.Matter)
CLAIM_RULES = _table(claims.ClaimRules)
VICTIMS = _table(claims.Victim)
VICTIM_SIGHTS = _table(claims.VictimSight)
ORDERS = _table(claims.StoredOrder)
LINKS = _table(access.Link)
LINK_USES = _table(access.LinkUse)
MAILS = _table(outbox.Mail)
ATTEMPTS = _table(outbox.Attempt)
TASKS = _table(outbox.Task)
NUDGES = _table(outbox.Nudge)
USERS = _table(people.User)
SESSIONS = _table(people.Session)
PROVIDERS = _table(providers.Provider)
ASSIGNMENTS = _table(providers.Assignment)
ASSIGNED_CASES = table("assigned_cases", *(column(name, CASES.c[name].type) for name in providers.SHOWN))
ASKED_LETTERS = _table(people.AskedLetter)
DEPARTMENT_SCOPES = _table(people.DepartmentScope)
