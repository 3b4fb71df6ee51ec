"""How many entries an archive says it has, before its table of contents is read: each takes time and memory; no I/O."""

ENTRY = b"PK\x01\x02"
"""Every entry of the table of contents begins with it; one that does not is none (APPNOTE 4.3.12)."""
MOST_ENTRIES = 2000


def has_few_entries(content: bytes) -> bool:
    """Whether there can be no more than so many: twenty megabytes hold four hundred thousand."""
    return content.count(ENTRY) <= MOST_ENTRIES
