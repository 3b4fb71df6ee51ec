"""Where a case is looked at by operators: the address of its page, and the line of the Temporal UI that leads there."""

from collections.abc import Mapping
from uuid import UUID

PAGE = "案卷页面"
"""The name of the link, and of the memo that keeps its address from run to run."""


def case_page(base_url: str, case_id: UUID) -> str:
    """The operators' page of a case; `base_url` has no trailing slash."""
    return f"{base_url}/operator/cases/{case_id}"


def case_link(base_url: str, case_id: UUID) -> str:
    """Markdown for the details of a workflow."""
    return page_link(case_page(base_url, case_id))


def case_memo(base_url: str, case_id: UUID) -> Mapping[str, str]:
    """What a workflow begins with, so that its later runs, whose details the engine does not keep, lead there too."""
    return {PAGE: case_page(base_url, case_id)}


def page_link(address: str) -> str:
    """Markdown; nothing where there is no address."""
    return f"[{PAGE}]({address})" if address else ""
