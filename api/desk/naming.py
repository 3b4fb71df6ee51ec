"""What a field is called where a page tells that it is wrong; the names stand in data, as those beside forms do."""

from collections.abc import Callable

from api.described import asked_words
from api.desk.words import Language


def caller_of_fields(language: Language) -> Callable[[str], str]:
    """Gives a field's name by its path (`query.cursor`, `lines.0.amount`); nothing where nobody gave it one."""
    spoken = "zh" if language is Language.CHINESE else "en"

    def called(path: str) -> str:
        last = next((part for part in reversed(path.split(".")) if not part.isdigit()), "")
        return asked_words().get(last, {}).get(spoken, "")

    return called
