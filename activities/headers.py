"""Headers of letters that are read as they were written; what stands in them is the business of letters.py.

The standard library folds a long line by encoding anew what it has encoded before, and puts a blank that begins such a
piece outside of it, between two encoded words, where no reader shows it (RFC 2047, 6.2): “H-001 · 保单” arrived as
“H-001· 保单”, a recipient's name in two words as one. Here a text is encoded once, as a whole.
"""

from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueAddressHeader, UniqueUnstructuredHeader
from email.policy import SMTP, Policy

CHARSET = "utf-8"
WIDEST = 78
"""Characters of a line (RFC 5322, 2.1.1)."""


class Text(UniqueUnstructuredHeader, BaseHeader):  # pyright: ignore[reportIncompatibleVariableOverride] - as the registry joins them
    """A header of words: the subject."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {_encoded(self, self.name, policy)}{policy.linesep}"


class Recipients(UniqueAddressHeader, BaseHeader):  # pyright: ignore[reportIncompatibleVariableOverride, reportIncompatibleMethodOverride] - the same
    """A header of addresses with the names of people and offices."""

    def fold(self, *, policy: Policy) -> str:
        between = f",{policy.linesep} "
        return f"{self.name}: {between.join(self._one(one, policy) for one in self.addresses)}{policy.linesep}"

    def _one(self, to: Address, policy: Policy) -> str:
        if to.display_name.isascii() and len(f"{self.name}: {to}") <= WIDEST:
            return str(to)
        return f"{_encoded(to.display_name, self.name, policy)}{policy.linesep} <{to.addr_spec}>"


def _encoded(words: str, name: str, policy: Policy) -> str:
    return Header(words, CHARSET, header_name=name).encode(linesep=policy.linesep)


def _registry() -> HeaderRegistry:
    registry = HeaderRegistry()
    registry.map_to_type("subject", Text)
    registry.map_to_type("from", Recipients)
    registry.map_to_type("to", Recipients)
    registry.map_to_type("reply-to", Recipients)
    return registry


LETTER = SMTP.clone(header_factory=_registry())
"""How our letters are written: lines end as RFC 5321 wants, and headers arrive whole."""
