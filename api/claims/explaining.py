"""Why a claim is where it is: path, grade, amount, figures, dates, payments; each with facts and clause, in Chinese."""

from decimal import Decimal

from api.claims.shapes import Because, ClaimExplanation
from api.claims.words import FIGURES, Explained
from api.shapes import Duties, DutyReading
from domain.wording import by_line, instant, money, who_says
from models.contracts.claim_state import Choice, ClaimView, PathTaken
from models.contracts.claim_terms import Figure
from models.contracts.payment import Payment
from models.contracts.vocabulary import EmergencyPurpose


def explanation(view: ClaimView, duties: Duties) -> ClaimExplanation:
    """One answer to why, for people: nothing in it is decided here, everything was recorded when it was."""
    *former, taken = view.paths or (PathTaken(path=view.path, at=duties.as_of, because=""),)
    return ClaimExplanation(
        as_of=duties.as_of,
        number=view.number,
        path=_path(taken),
        former_paths=tuple(_path(one) for one in former),
        other_paths=tuple(_choice(one) for one in view.choices if one.path is not view.path),
        grade=Because(
            question=Explained.GRADE.label,
            answer=view.grade.label,
            because=_said(view.grade_because),
            clause=Explained.GRADE.clause,
        ),
        amount=_amount(view),
        figures=tuple(_figure(view, name) for name in FIGURES),
        dates=tuple(_date(one) for one in duties.items),
        payments=tuple(_payment(one) for one in view.payments),
    )


def _said(*sentences: str) -> tuple[str, ...]:
    return tuple(sentence for sentence in sentences if sentence)


def _path(taken: PathTaken) -> Because:
    chosen = Explained.BY_PERSON.label if taken.by_person else Explained.BY_RULE.label
    return Because(
        question=Explained.PATH.label,
        answer=f"{taken.path.label}（{instant(taken.at)}，{chosen}）",
        because=_said(taken.because),
        clause=taken.clause,
    )


def _choice(choice: Choice) -> Because:
    verdict = Explained.SUITS if choice.applies else Explained.SUITS_NOT
    missing = tuple(f"{Explained.MISSING.label}：{one}" for one in choice.missing)
    return Because(
        question=choice.path.label, answer=verdict.label, because=(*choice.because, *missing), clause=choice.clause
    )


def _amount(view: ClaimView) -> Because:
    sums = view.money
    owed = money(sums.payable) if sums.payable is not None else Explained.LIMITS_UNKNOWN.label
    named: tuple[tuple[Explained, Decimal | None], ...] = (
        (Explained.ASSESSED, sums.assessed),
        (Explained.DETERMINED, sums.determined),
        (Explained.PAID, sums.paid),
        (Explained.PREPAID, sums.prepaid),
        (Explained.ADVANCED, sums.advanced),
        (Explained.SET_OFF, sums.set_off),
        (Explained.RECOVERED, sums.recovered),
        (Explained.PENDING, sums.pending),
        (Explained.OPEN, sums.open),
    )
    lines = tuple(f"{word.label} {money(amount)}" for word, amount in named if amount)
    return Because(
        question=Explained.AMOUNT.label, answer=owed, because=(*sums.because, *lines), clause=Explained.AMOUNT.clause
    )


def _figure(view: ClaimView, name: str) -> Because:
    figure: Figure | None = getattr(view.terms, name)
    if figure is None:
        return Because(question=FIGURES[name][0], answer=Explained.NOT_AGREED.label)
    value = figure.value  # pyright: ignore[reportAttributeAccessIssue] - every kind of figure has one
    return Because(
        question=FIGURES[name][0],
        answer=_value(value, FIGURES[name][1]),
        because=(who_says(figure.by),),
        clause=figure.source,
    )


def _value(value: Decimal | int | tuple[EmergencyPurpose, ...], unit: str) -> str:
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, tuple):
        return "、".join(purpose.label for purpose in value)
    return f"{value} {unit}"


def _date(duty: DutyReading) -> Because:
    effective = duty.explanation.effective
    state = Explained(f"duty_{duty.state}").label
    until = f"{effective.year}年{effective.month}月{effective.day}日" if effective else ""
    return Because(
        question=duty.label,
        answer=f"{state}{f'，末日为{until}' if until else ''}",
        because=_said(duty.counting, duty.because),
        clause=by_line(duty.cites),
    )


def _payment(payment: Payment) -> Because:
    signed = payment.approved
    return Because(
        question=f"{payment.kind.label} {payment.number}",
        answer=f"{money(payment.amount)}，{payment.status.label}",
        because=_said(
            payment.because,
            f"{Explained.PROPOSED_BY.label} {payment.proposed.by_user}，{instant(payment.proposed.at)}",
            f"{Explained.APPROVED_BY.label} {signed.by_user}，{instant(signed.at)}" if signed else "",
            f"{Explained.REFERENCE.label} {payment.reference}" if payment.reference else "",
            f"{Explained.FAILED.label}：{payment.failure}" if payment.failure else "",
            f"{Explained.VOIDED.label}：{payment.voided_because}" if payment.voided_because else "",
            payment.disputed,
        ),
        clause=payment.clause,
    )
