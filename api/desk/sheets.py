"""An act's form on its way to the page, and what becomes of one that was sent; which acts there are, each room says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import Response
from sqlalchemy import Row

from api.admission import Admitted
from api.desk.acting import Misfilled, Wanted, done
from api.desk.did import back_after
from api.desk.forms import Form
from api.desk.frame import Visit
from api.problems import MAY_COME_BACK, Problem


@dataclass(frozen=True)
class Sheet:
    """One form of one case; `back` is where the case lies in this room."""

    visit: Visit
    row: Row[Any]
    form: Form
    template: str
    back: str
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What else the room's template shows."""
    once: str = ""
    problem: Problem | None = None

    def page(self, status: int = 200) -> Response:
        """The form with what was typed; where the outcome is unknown it goes under the key it had."""
        kept = {"once": self.once} if self.once else {}
        return self.visit.page(
            self.template,
            status,
            row=self.row,
            sheet=self.form,
            back=self.back,
            problem=self.problem,
            language=self.visit.language,
            **self.beside,
            **kept,
        )

    def wrong(self, errors: Mapping[str, str]) -> Response:
        """The form again, with what is wrong beside each field."""
        return replace(self, form=self.form.wrong(errors)).page(422)


async def outcome_of(sheet: Sheet, ready: Admitted, wanted: Wanted, body: dict[str, Any]) -> Response:
    """Back to the case once it is done; or the form again, with what is wrong, under its old key where it may count."""
    try:
        await done(ready, wanted, body)
    except Misfilled as misfilled:
        return sheet.wrong(misfilled.errors)
    except Problem as problem:
        once = wanted.once if problem.code in MAY_COME_BACK else ""
        return replace(sheet, once=once, problem=problem).page(problem.status)
    return back_after(wanted.update, sheet.back)
