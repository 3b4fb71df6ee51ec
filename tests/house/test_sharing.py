"""Where several processes share the suite, no file that takes long is left for the end; how long, no test measures."""

from pathlib import Path
from typing import Any

from tests.conftest import LONG, in_order


class Listed:
    """A test of a file, as pytest lists it."""

    def __init__(self, file: str, name: str, mark: str = "") -> None:
        self.path, self.name, self.mark = Path(file), name, mark

    def get_closest_marker(self, name: str) -> str | None:
        return self.mark if self.mark == name else None


def test_a_long_test_alone_in_its_file_comes_before_files_of_a_few_and_nothing_moves_within_a_file() -> None:
    few: list[Any] = [Listed("few", name) for name in "cab"]
    many: list[Any] = [Listed("many", f"{number}") for number in range(LONG + 1)]
    items = [Listed("one", "a"), *few, Listed("long", "a", "long"), *many]
    in_order(items)
    assert [f"{one.path} {one.name}" for one in items[len(many) :]] == ["long a", "few c", "few a", "few b", "one a"]
    assert items[: len(many)] == many
