"""`anze people`: register, list and disable users on the server; what a user may do is decided by posts, in the API."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.entrance.people import ON_THE_SERVER, POSTS, NewUser, Place, Taken, let_in, register
from api.rows import INSURERS, PROVIDERS, RECIPIENTS, USERS
from models.contracts.vocabulary import ActorKind, Post
from runtime.operating import Unanswerable, department_named, done, insurer_named, provider_named

app = typer.Typer(name="people", help="用户：登记、列出、停用 / users: add, list, disable", no_args_is_help=True)

T = TypeVar("T")
Email = Annotated[str, typer.Argument(help="登记的邮箱 / the registered address")]


@app.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="姓名 / name")],
    insurer: Annotated[str | None, typer.Option(help="保险机构代码 / code of the insurer")] = None,
    provider: Annotated[str | None, typer.Option(help="该保险机构登记的服务机构：信用代码 / credit code")] = None,
    department: Annotated[str | None, typer.Option(help="部门：区划代码:名称 / REGION:NAME")] = None,
    as_operator: Annotated[bool, typer.Option("--operator", help="运维人员 / an operator")] = False,
    post: Annotated[list[Post] | None, typer.Option(help="岗位，可多次给出；缺省为该类人员的第一个 / posts")] = None,
) -> None:
    """登记一名用户，第一次登录凭这个邮箱认人 / somebody who may sign in."""
    if sum((insurer is not None, department is not None, as_operator)) != 1:
        raise typer.BadParameter("--insurer、--department、--operator 三者选一 / give exactly one of them")

    async def enter(connection: AsyncConnection) -> None:
        place = await _place(connection, insurer, department)
        if provider is not None:
            place = await _provider(connection, place, provider)
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
    table = Table("邮箱", "姓名", "类别", "单位", "岗位", "登录过", "停用")
    for row in rows:
        table.add_row(*(str(value or "") for value in row.values()))
    Console().print(table)


@app.command()
def disable(email: Email) -> None:
    """停用，立即生效；其全部登录一并退出 / no more, with the next request."""

    async def end(connection: AsyncConnection) -> None:
        await let_in(connection, await _named(connection, email), ON_THE_SERVER, again=False)

    _done(end)
    typer.echo(f"已停用 {email} / disabled")


@app.command()
def enable(email: Email) -> None:
    """恢复停用的用户 / let somebody in again."""

    async def again(connection: AsyncConnection) -> None:
        await let_in(connection, await _named(connection, email), ON_THE_SERVER, again=True)

    _done(again)
    typer.echo(f"已恢复 {email} / enabled")


def _done(act: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """With the reasons why a user cannot be registered in words."""

    async def told(connection: AsyncConnection) -> T:
        try:
            return await act(connection)
        except Taken:
            raise Unanswerable("这个邮箱已经登记过 / the address is registered already") from None
        except ValidationError:
            raise Unanswerable("姓名或邮箱的格式不对 / bad name or address") from None

    return done(told)


async def _place(connection: AsyncConnection, insurer: str | None, department: str | None) -> Place:
    if insurer is not None:
        return Place(ActorKind.INSURER, insurer_id=await insurer_named(connection, insurer))
    if department is not None:
        return Place(ActorKind.DEPARTMENT, recipient_id=await department_named(connection, department))
    return Place(ActorKind.OPERATOR)


async def _provider(connection: AsyncConnection, place: Place, credit_code: str) -> Place:
    """A provider in the register of the insurer that was named. Raises Unanswerable."""
    if place.insurer_id is None:
        raise Unanswerable("服务机构要和 --insurer 一起给出 / a provider is one of an insurer")
    return Place(
        ActorKind.PROVIDER,
        place.insurer_id,
        provider_id=await provider_named(connection, place.insurer_id, credit_code),
    )


async def _named(connection: AsyncConnection, email: str) -> Row[Any]:
    row = (await connection.execute(select(USERS).where(USERS.c.email == email.lower()))).one_or_none()
    if row is None:
        raise Unanswerable(f"没有登记 {email} / not registered")
    return row


async def _all(connection: AsyncConnection) -> list[dict[str, Any]]:
    of = USERS.outerjoin(INSURERS, INSURERS.c.id == USERS.c.insurer_id).outerjoin(
        RECIPIENTS, RECIPIENTS.c.id == USERS.c.recipient_id
    )
    of = of.outerjoin(PROVIDERS, PROVIDERS.c.id == USERS.c.provider_id)
    columns = (INSURERS.c.name.label("insurer"), RECIPIENTS.c.name.label("office"), PROVIDERS.c.name.label("provider"))
    found = select(USERS, *columns).select_from(of).order_by(USERS.c.created_at, USERS.c.email)
    return [_shown(row) for row in await connection.execute(found)]


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "email": row.email,
        "name": row.name,
        "kind": row.kind.value,
        "of": row.provider or row.insurer or row.office or "",
        "posts": ",".join(row.posts),
        "signed_in": row.subject is not None,
        "disabled_at": row.disabled_at.isoformat() if row.disabled_at else None,
    }
