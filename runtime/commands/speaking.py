"""How a command speaks with the API: one key, one address, refusals as sentences; what it asks is not known here."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

import httpx
import typer

from api.written import id_of
from domain.wording import with_clause
from models.contracts import ids

ANSWER_WITHIN = 15.0  # seconds; the API answers a write within five
REFUSED, MISASKED, UNKNOWN = 1, 2, 3
Key = Annotated[str, typer.Option("--key", envvar="ANZE_API_KEY", help="保险机构的接口密钥 / key of the API")]
Address = Annotated[str, typer.Option("--api", help="接口地址 / address of the API")]
AsJson = Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")]
HERE = "http://127.0.0.1:8080"
T = TypeVar("T")


class NotDone(Exception):
    """What was asked was not done, or nobody knows; the text is for people."""

    def __init__(self, text: str, code: int = REFUSED) -> None:
        super().__init__(text)
        self.code = code


class Api:
    """The API as the holder of one key meets it. Everything raises NotDone."""

    def __init__(self, address: str, key: str) -> None:
        bearer = {"Authorization": f"Bearer {key}"}
        base = f"{address.rstrip('/')}/v1"
        self._http = httpx.Client(base_url=base, headers=bearer, timeout=ANSWER_WITHIN, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """What stands there; filters that are `None` are left out."""
        asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
        try:
            return _read(self._http.get(path, params=asked))
        except httpx.HTTPError:
            raise NotDone("无法连接接口 / the API does not answer", UNKNOWN) from None

    def post(self, path: str, body: Any, idempotency_key: str) -> tuple[Any, bool]:
        """The answer, and whether it was given before."""
        try:
            answer = self._http.post(path, json=body, headers={"Idempotency-Key": idempotency_key})
        except httpx.HTTPError:
            again = f"结果不明，请以 --idempotency-key {idempotency_key} 重做，不会重复办理 / unknown, repeat it"
            raise NotDone(again, UNKNOWN) from None
        return _read(answer), answer.headers.get("Idempotent-Replayed") == "true"

    def claim(self, named: str) -> str:
        """The id of a claim that is named by its id or by its number."""
        return named if id_of(named) else str(ids.claim_id(self._insurer(), named))

    def policy(self, named: str) -> str:
        """The id of a policy that is named by its id or by its number."""
        return named if id_of(named) else str(ids.policy_id(self._insurer(), named))

    def _insurer(self) -> UUID:
        me = self.get("/me")
        if me["kind"] != "insurer":
            raise NotDone("所给的密钥不是保险机构的 / not an insurer's key", MISASKED)
        return UUID(me["id"])


def asked(address: str, key: str, question: Callable[[Api], T]) -> T:
    """What the API answers; where it refuses, its sentence and the end of the command."""
    try:
        with Api(address, key) as api:
            return question(api)
    except NotDone as reason:
        typer.echo(str(reason), err=True)
        raise typer.Exit(reason.code) from None


def _read(answer: httpx.Response) -> Any:
    try:
        read = answer.json()
    except ValueError:
        raise NotDone(f"接口答复 {answer.status_code} / unreadable", UNKNOWN) from None
    if answer.is_success:
        return read
    says = with_clause(str(read.get("detail") or read.get("title")), read.get("clause", ""))
    faults = "".join(f"\n  {one['field']}：{one['reason']}" for one in read.get("errors", ()))
    unsure = answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
    raise NotDone(f"{says}{faults}", UNKNOWN if unsure else REFUSED)
