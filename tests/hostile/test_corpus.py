"""No parser of bytes breaks: over the kept corpus, over changes of it, and over what nobody has thought of."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cursors import Cursors
from api.problems import Problem
from tests.hostile.parsers import NOW, PARSERS, SECRET, Nothing

CORPUS = Path(__file__).with_name("corpus")
EXAMPLES = {name: 25 if name in ("workbook", "id_token") else 100 for name in PARSERS}


def kept(name: str) -> list[bytes]:
    """What `make fuzz` begins with, and what it once found."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize("name", PARSERS)
def test_no_parser_breaks_over_the_corpus(name: str) -> None:
    assert kept(name)
    for content in kept(name):
        PARSERS[name](content)
        for cut in (1, len(content) // 2, len(content) - 1):
            PARSERS[name](content[:cut])
            PARSERS[name](content[:cut] + b"\x00\xff" + content[cut:])


@pytest.mark.parametrize("name", PARSERS)
def test_no_parser_breaks_over_anything(name: str) -> None:
    seeds = kept(name)

    @settings(max_examples=EXAMPLES[name], derandomize=True, database=None, deadline=None)
    @given(st.sampled_from(seeds), st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=40))
    def tried(seed: bytes, place: int, gone: int, put: bytes) -> None:
        PARSERS[name](seed[:place] + put + seed[place + gone :])

    tried()


def test_a_changed_cursor_leads_nowhere() -> None:
    """Signed for one reader, one list and one set of filters: no byte of it can be another."""
    cursors, place = Cursors(SECRET, UUID(int=1), "policies", Nothing()), (NOW, UUID(int=7))
    written = cursors.write(*place)
    assert cursors.read(written) == place
    for position in range(len(written) - 1):
        with pytest.raises(Problem):
            cursors.read(written[:position] + ("A" if written[position] != "A" else "B") + written[position + 1 :])
    for other in (Cursors(SECRET, UUID(int=2), "policies", Nothing()), Cursors(SECRET, UUID(int=1), "x", Nothing())):
        with pytest.raises(Problem):
            other.read(written)
