"""Sends applications to the API, a few at a time and each under its own key, so that sending again changes nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import httpx

from api.portfolio.parcels import Outcome, Parcel, Result, column_of
from api.portfolio.reading import Fault
from domain.wording import with_clause

AT_ONCE = 8
"""Requests on their way at one time; the API's own limit per key lies far above."""
ATTEMPTS = 6
LONGEST_PAUSE = 10.0  # seconds
REQUEST_WITHIN = 15.0  # seconds; the API answers a write within five
MAY_COME_BACK = {429, 500, 502, 503, 504}
REPLAYED = "Idempotent-Replayed"


class NoEntry(Exception):
    """The API does not answer or does not know a key; the text is what a person is told."""


def client(api: str) -> httpx.AsyncClient:
    """A client for the API at this address, without any proxy of the environment."""
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return httpx.AsyncClient(base_url=api, timeout=REQUEST_WITHIN, limits=limits, trust_env=False)


async def whose(http: httpx.AsyncClient, tokens: Sequence[str]) -> dict[str, str]:
    """Insurer code → key, for the keys that are an insurer's. Raises NoEntry."""
    found: dict[str, str] = {}
    for token in tokens:
        try:
            answer = await http.get("/v1/me", headers=_bearer(token))
        except httpx.HTTPError:
            raise NoEntry(f"无法连接接口 {http.base_url} / the API does not answer") from None
        if answer.status_code != httpx.codes.OK:
            raise NoEntry(f"接口不接受所给的密钥（{answer.status_code}）/ the key was not accepted")
        me = answer.json()
        if me["kind"] == "insurer":
            found[me["code"]] = token
    if not found:
        raise NoEntry("所给的密钥都不是保险机构的 / none of the keys is an insurer's")
    return found


async def send_all(
    http: httpx.AsyncClient, keys: Mapping[str, str], parcels: Sequence[Parcel], done: Callable[[Result], None]
) -> list[Result]:
    """Send every parcel; `done` hears of each end. One that fails holds up no other."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(parcel: Parcel) -> Result:
        async with places:
            result = await _send(http, keys[parcel.insurer], parcel)
        done(result)
        return result

    return list(await asyncio.gather(*(one(parcel) for parcel in parcels)))


async def _send(http: httpx.AsyncClient, token: str, parcel: Parcel) -> Result:
    headers = {**_bearer(token), "Idempotency-Key": parcel.key}
    for attempt in range(ATTEMPTS):
        try:
            answer = await http.post("/v1/policies", json=parcel.body, headers=headers)
        except httpx.HTTPError:
            await asyncio.sleep(min(2.0**attempt, LONGEST_PAUSE))
            continue
        if answer.status_code not in MAY_COME_BACK:
            return _ended(parcel, answer)
        await asyncio.sleep(_pause(answer, attempt))
    return Result(parcel.line, parcel.number, Outcome.UNKNOWN)


def _pause(answer: httpx.Response, attempt: int) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked) if asked.isdigit() else 2.0**attempt, LONGEST_PAUSE)


def _ended(parcel: Parcel, answer: httpx.Response) -> Result:
    if answer.status_code == httpx.codes.CREATED:
        there = answer.headers.get(REPLAYED) == "true"
        outcome = Outcome.THERE if there else Outcome.OPENED
        return Result(parcel.line, parcel.number, outcome, str(answer.json()["id"]))
    return Result(parcel.line, parcel.number, Outcome.REFUSED, faults=_faults(answer))


def _faults(answer: httpx.Response) -> tuple[Fault, ...]:
    """The problem document, field by field where it names fields."""
    try:
        problem = answer.json()
    except ValueError:
        return (Fault("", f"接口答复 {answer.status_code}"),)
    if problem.get("errors"):
        return tuple(Fault(column_of(one["field"]), one["reason"]) for one in problem["errors"])
    says = str(problem.get("detail") or problem.get("title"))
    return (Fault("", with_clause(says, problem.get("clause", ""))),)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
