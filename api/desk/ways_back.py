"""The way back from a case to the list it was opened from, with its filters, and to nowhere else; no page here."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from starlette.datastructures import FormData

from api.desk.frame import Visit
from api.desk.front import local


def list_of(onward: str) -> str:
    """Which list a way back leads to, however it is filtered."""
    return urlsplit(onward).path


@dataclass(frozen=True)
class WaysBack:
    """The lists a case of one room may have been opened from; whatever is asked for, no other address is led to."""

    home: str
    """Where one is led whose address says nothing."""
    lists: frozenset[str]

    def here(self, visit: Visit) -> str:
        """What the address of a case carries, so that one finds back to this page as it is filtered."""
        asked = visit.request.url
        return self.trail(f"{asked.path}?{asked.query}" if asked.query else asked.path)

    def trail(self, onward: str) -> str:
        """The same of a way back that is known."""
        return f"?{kept}" if (kept := self.kept(onward)) else ""

    def kept(self, onward: str) -> str:
        """What a query string keeps of it: nothing where one is led home."""
        return "" if onward == self.home else urlencode({"back": onward})

    def led(self, request: Request) -> str:
        """What leads on, on the same way back as this address."""
        return self.trail(self.of(request))

    def of(self, request: Request) -> str:
        """The way back an address says."""
        return self._led(request.query_params.get("back", ""))

    def sent(self, form: FormData) -> str:
        """The way back a form says."""
        return self._led(str(form.get("back") or ""))

    def _led(self, asked: str) -> str:
        address = local(asked)
        return address if list_of(address) in self.lists else self.home
