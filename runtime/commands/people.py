"""`anze people`: register, list and disable users on the server; what a user may do is decided by posts, in the API."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from api.entrance.memberships import WITH_ORGANISATION
from api.entrance.people import ON_THE_SERVER, POSTS, NewUser, Place, Taken, let_in, register
from api.rows import INSURERS, USERS
from models.contracts.vocabulary import ActorKind, Post
from runtime.listing import filled, listed, terminal
from runtime.operating import Unanswerable, department_named, done, insurer_named, provider_named

app = typer.Typer(name="people", help="用户：登记、列出、停用 / users: add, list, disable", no_args_is_help=True)

T = TypeVar("T")
Email = Annotated[str, typer.Argument(help="登记的邮箱 / the registered address")]
Insurer = Annotated[str | None, typer.Option(help="保险机构代码 / code of the insurer")]
Provider = Annotated[str | None, typer.Option(help="该保险机构登记的服务机构：信用代码 / credit code")]
Department = Annotated[str | None, typer.Option(help="部门：区划代码:名称 / REGION:NAME")]
AsOperator = Annotated[bool, typer.Option("--operator", help="运维人员 / an operator")]
Everywhere = Annotated[bool, typer.Option("--everywhere", help="在其登记的每一家机构 / in every organisation")]


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="姓名 / name")],
    insurer: Insurer = None,
    provider: Provider = None,
    department: Department = None,
    as_operator: AsOperator = False,
    post: Annotated[list[Post] | None, typer.Option(help="岗位，可多次给出；缺省为该类人员的第一个 / posts")] = None,
) -> None:
    """登记一名用户，第一次登录凭这个邮箱认人；一个邮箱可以在几家机构登记 / somebody who may sign in."""
    named = Named(insurer, provider, department, as_operator)
    named.require_one()

    async def enter(connection: AsyncConnection) -> None:
        place = await named.place(connection)
        posts = tuple(post or POSTS[place.kind][:1])
        if not set(posts) <= set(POSTS[place.kind]):
            raise Unanswerable(f"{place.kind.label}没有这个岗位 / no such post there")
        await register(connection, place, NewUser(name=name, email=email), posts)

    _done(enter)
    typer.echo(f"已登记 {email} / registered")


@app.command(name="list")
def list_people(as_json: Annotated[bool, typer.Option("--json", help="供程序读取 / for programs")] = False) -> None:
    """列出用户 / every user."""
    rows = _done(_all)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = listed("邮箱", "姓名", "类别", "单位", "岗位", "登录过", "停用", "保险机构", whole=("邮箱",))
    terminal().print(filled(table, (_told(row) for row in rows)))


@app.command()
def disable(
    email: Email,
    insurer: Insurer = None,
    provider: Provider = None,
    department: Department = None,
    as_operator: AsOperator = False,
    everywhere: Everywhere = False,
) -> None:
    """停用，立即生效；在那家机构的全部登录一并退出 / no more, with the next request."""
    _let_in(email, Named(insurer, provider, department, as_operator, everywhere), again=False)
    typer.echo(f"已停用 {email} / disabled")


@app.command()
def enable(
    email: Email,
    insurer: Insurer = None,
    provider: Provider = None,
    department: Department = None,
    as_operator: AsOperator = False,
    everywhere: Everywhere = False,
) -> None:
    """恢复停用的用户 / let somebody in again."""
    _let_in(email, Named(insurer, provider, department, as_operator, everywhere), again=True)
    typer.echo(f"已恢复 {email} / enabled")


def _done(act: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """With the reasons why a user cannot be registered in words."""

    async def told(connection: AsyncConnection) -> T:
        try:
            return await act(connection)
        except Taken:
            raise Unanswerable("这个邮箱在该机构已经登记过 / the address is registered there already") from None
        except ValidationError:
            raise Unanswerable("姓名或邮箱的格式不对 / bad name or address") from None

    return done(told)


@dataclass(frozen=True)
class Named:
    """Which organisation was named on the command line, if any."""

    insurer: str | None
    provider: str | None
    department: str | None
    as_operator: bool
    everywhere: bool = False

    @property
    def count(self) -> int:
        return sum((self.insurer is not None, self.department is not None, self.as_operator, self.everywhere))

    def require_one(self) -> None:
        if self.count != 1:
            raise typer.BadParameter("--insurer、--department、--operator 三者选一 / give exactly one of them")

    async def place(self, connection: AsyncConnection) -> Place:
        """Raises Unanswerable for what is not registered."""
        if self.insurer is None and self.provider is not None:
            raise Unanswerable("服务机构要和 --insurer 一起给出 / a provider is one of an insurer")
        if self.insurer is not None:
            insurer_id = await insurer_named(connection, self.insurer)
            if self.provider is None:
                return Place(ActorKind.INSURER, insurer_id)
            known = await provider_named(connection, insurer_id, self.provider)
            return Place(ActorKind.PROVIDER, insurer_id, provider_id=known)
        if self.department is not None:
            return Place(ActorKind.DEPARTMENT, recipient_id=await department_named(connection, self.department))
        return Place(ActorKind.OPERATOR)


def _let_in(email: str, named: Named, *, again: bool) -> None:
    """Disable somebody, or let them in again: in the organisation that was named, or the only one there is."""
    if named.count or named.provider is not None:
        named.require_one()

    async def act(connection: AsyncConnection) -> None:
        for user in await _users(connection, email, named):
            await let_in(connection, user, ON_THE_SERVER, again=again)

    _done(act)


async def _users(connection: AsyncConnection, email: str, named: Named) -> Sequence[Row[Any]]:
    """Of this address: in the organisation that was named, or in all. Raises Unanswerable where it is not one."""
    found = WITH_ORGANISATION.where(USERS.c.email == email.lower()).order_by(USERS.c.insurer_id, USERS.c.id)
    if named.count and not named.everywhere:
        place = await named.place(connection)
        found = found.where(
            USERS.c.insurer_id.is_not_distinct_from(place.insurer_id),
            USERS.c.recipient_id.is_not_distinct_from(place.recipient_id),
            USERS.c.provider_id.is_not_distinct_from(place.provider_id),
        )
    users = (await connection.execute(found)).all()
    if not users:
        raise Unanswerable(f"没有登记 {email} / not registered")
    if len(users) > 1 and not named.everywhere:
        of = "、".join(_organisation(one) for one in users)
        raise Unanswerable(
            f"{email} 在几家机构登记：{of}。请指明一家，或者加 --everywhere / registered with several: name one"
        )
    return users


async def _all(connection: AsyncConnection) -> list[dict[str, Any]]:
    found = WITH_ORGANISATION.add_columns(INSURERS.c.code).order_by(USERS.c.created_at, USERS.c.email)
    return [_shown(row) for row in await connection.execute(found)]


def _organisation(user: Row[Any]) -> str:
    if user.provider:
        return f"{user.provider}（{user.insurer}）"
    return user.insurer or user.office or user.kind.label


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "email": row.email,
        "name": row.name,
        "kind": row.kind.value,
        "of": row.provider or row.insurer or row.office or "",
        "posts": ",".join(row.posts),
        "signed_in": row.subject is not None,
        "disabled_at": row.disabled_at.isoformat() if row.disabled_at else None,
        "insurer": row.code or "",
    }


def _told(row: dict[str, Any]) -> tuple[str | None, ...]:
    """The same for people: kind and posts by their names."""
    posts = "、".join(Post(one).label for one in row["posts"].split(",") if one)
    signed_in, disabled = "是" if row["signed_in"] else "", row["disabled_at"] and row["disabled_at"][:10]
    return (
        row["email"],
        row["name"],
        ActorKind(row["kind"]).label,
        row["of"],
        posts,
        signed_in,
        disabled,
        row["insurer"],
    )
