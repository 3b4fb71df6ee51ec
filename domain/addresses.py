"""Where operators look at a case or a mailroom: its page, and the line of the Temporal UI that leads there."""

from collections.abc import Mapping
from uuid import UUID

PAGE = "案卷页面"
"""The name of the link, and of the memo that keeps its address from run to run."""
MAILS = "信件页面"
"""The same of a mailroom."""


def case_page(base_url: str, case_id: UUID) -> str:
    """The operators' page of a case; `base_url` has no trailing slash."""
    return f"{base_url}/operator/cases/{case_id}"


def case_link(base_url: str, case_id: UUID) -> str:
    """Markdown for the details of a workflow."""
    return page_link(case_page(base_url, case_id))


def case_memo(base_url: str, case_id: UUID) -> Mapping[str, str]:
    """What a workflow begins with, so that its later runs, whose details the engine does not keep, lead there too."""
    return {PAGE: case_page(base_url, case_id)}


def mailroom_page(base_url: str, recipient_id: UUID) -> str:
    """The operators' list of the mails of one recipient."""
    return f"{base_url}/operator/mails?recipient={recipient_id}"


def mailroom_link(base_url: str, recipient_id: UUID) -> str:
    """Markdown for the details of a mailroom."""
    return page_link(mailroom_page(base_url, recipient_id), MAILS)


def mailroom_memo(base_url: str, recipient_id: UUID) -> Mapping[str, str]:
    """What a mailroom begins with and its later runs keep; a mailroom lives as long as its recipient."""
    return {MAILS: mailroom_page(base_url, recipient_id)}


def page_link(address: str, name: str = PAGE) -> str:
    """Markdown; nothing where there is no address."""
    return f"[{name}]({address})" if address else ""
