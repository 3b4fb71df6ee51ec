"""How much one caller may ask for, and how long it is waited for; a leaf that also settings may name."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Budgets:
    """How much one caller may ask for. Sizes in bytes, times in seconds."""

    answer_within: float = 5.0
    """A write is answered within this, or as outcome-unknown (promises.md rule 6)."""
    body_within: float = 30.0
    """A body of the API is there within this, and no upload rests longer."""
    body_per_second: float = 2048.0
    """No upload comes more slowly than this, for longer than `body_within`."""
    retry_after: int = 2
    body: int = 256 * 1024
    command: int = 384 * 1024
    """A command as it reaches its case, with every field that was left out: ten at once fit into one message."""
    headers: int = 16 * 1024
    nesting: int = 32
    file: int = 20 * MEBIBYTE
    page_upload: int = 64 * MEBIBYTE
    """A form of the pages behind mailed links, several photographs in all."""
    requests_per_second: float = 200.0
    burst: int = 1000
    """Of one key, and for pages of one address."""
    uploaded_per_second: float = 1.0 * MEBIBYTE
    uploaded_burst: int = 4096 * MEBIBYTE
    """Bytes of forms and files of one organisation, or of one address nobody is known by."""
    at_once: int = 256
    """Requests of one address, and of one organisation's keys wherever they are used, under way in one process."""
    guesses_per_second: float = 1.0
    guesses_burst: int = 60
    """Keys nobody has, tried from one address."""
    strangers_per_second: float = 0.5
    """Codes asked for and typed from one address by whoever is not in yet."""
    strangers_burst: int = 30
