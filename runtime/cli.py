"""The command `anze`: starts what runtime/ composes, registers the commands of runtime/commands, decides nothing."""

import asyncio
from collections.abc import Coroutine
from importlib import import_module
from importlib.metadata import version as installed
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from runtime.leaving import Commands
from runtime.settings import Settings

# Every further command, after those below, and the module of runtime/commands where its `app` is.
COMMANDS = {
    "rules": "rules",
    "import": "importing",  # the word itself is Python's
    "demo": "demo",
    "keys": "keys",
    "seals": "seals",
    "privacy": "privacy",
    "people": "people",
    "claims": "claims",
    "core-system": "core_system",
    "calendar": "calendar",
    "audit": "audit",
    "backup": "backup",
    "restore": "restore",
    "recover": "recover",
    "doctor": "doctor",
    "replay": "replay",
    "coverage": "coverage",
    "docs": "docs",
}


class Rooms(TyperGroup):
    """Further commands are loaded when they are asked for: each brings libraries that the others do without."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*self.commands, *(name for name in COMMANDS if name not in self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # click is typer's own affair
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.commands[cmd_name] = _loaded(cmd_name)
        return super().get_command(ctx, cmd_name)


def _loaded(name: str) -> Any:
    """A module's app with a single command and no callback is that command, any other a group of commands."""
    group: typer.Typer = import_module(f"runtime.commands.{COMMANDS[name]}").app
    alone = group.registered_callback is None and not group.registered_groups and len(group.registered_commands) == 1
    only, named = group.registered_commands[0].callback if alone else None, typer.Typer()
    if only is not None:
        named.command(name)(only)
    else:
        named.add_typer(group, name=name)
    return get_group(named).commands[name]


app = Commands(
    name="anze",
    help="安责险全流程工作流 · work-safety liability insurance",
    cls=Rooms,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its frames show local variables, and those are people's data
)


@app.command()
def up(
    follow_parent: Annotated[bool, typer.Option(help="启动者退出时一并停止 / stop when the starter is gone")] = False,
) -> None:
    """在本机启动整套系统，Ctrl-C 停止 / everything on this machine, in the foreground."""
    from runtime.up import up as run

    raise typer.Exit(asyncio.run(run(Settings(), follow_parent)))


@app.command()
def worker() -> None:
    """运行流程与活动 / run workflows and activities."""
    from runtime import logs, sandbox, services

    settings = Settings()
    sandbox.keep_bytecode(settings.var)
    logs.configure(settings, "worker")
    _run(services.until_told(services.run_worker(settings)))


@app.command()
def web() -> None:
    """运行网页与接口 / serve API and pages."""
    from runtime import logs, services

    settings = Settings()
    logs.configure(settings, "web")
    _run(services.run_web(settings))


@app.command()
def migrate(
    new: Annotated[str | None, typer.Option(help="按表的改动起草一个新迁移 / draft a migration")] = None,
) -> None:
    """把数据库升级到最新结构 / bring the database up to date."""
    from runtime import addresses
    from runtime import migrate as migrations

    settings = addresses.with_owner(Settings())
    if new is not None:
        migrations.draft(settings, new)
    else:
        asyncio.run(migrations.migrate(settings))
        typer.echo(f"数据库已是最新 / up to date: {migrations.newest()}")


@app.command()
def version() -> None:
    """版本 / version."""
    typer.echo(installed("anze"))


def _run(story: Coroutine[Any, Any, None]) -> None:
    from runtime.services import collect_seldom, event_loop

    collect_seldom()
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(story)


if __name__ == "__main__":
    app()
