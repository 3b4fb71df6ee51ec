"""Why what an operator typed is not one place, in a sentence that says what would be; nothing is looked up here."""

from api.operator.words import AMBIGUOUS_PLACE, UNKNOWN_PLACE
from domain.places import full_region_name, places_of


def no_place(said: str) -> str:
    """Of several places that are called so, which they are."""
    meant = "、".join(full_region_name(code) for code in places_of(said))
    return AMBIGUOUS_PLACE.format(places=meant) if meant else UNKNOWN_PLACE
