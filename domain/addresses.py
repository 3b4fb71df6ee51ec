"""Where a case is looked at by operators: the address of its page, and the line of the Temporal UI that leads there."""

from uuid import UUID


def case_page(base_url: str, case_id: UUID) -> str:
    """The operators' page of a case; `base_url` has no trailing slash."""
    return f"{base_url}/operator/cases/{case_id}"


def case_link(base_url: str, case_id: UUID) -> str:
    """Markdown for the details of a workflow."""
    return f"[案卷页面]({case_page(base_url, case_id)})"
