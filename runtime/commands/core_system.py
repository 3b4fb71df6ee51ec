"""`anze core-system`: the stand-in core system in the foreground; what it does is in runtime/core_system.py."""

import asyncio
from typing import Annotated

import typer
import uvicorn

from runtime.core_system import CallBack, CoreSystem, Manner
from runtime.embedded.ports import LOOPBACK
from runtime.settings import SHORTEST_SECRET, is_weak

app = typer.Typer(name="core-system", help="替身核心系统 / a stand-in core system")


@app.command()
def core_system(
    secret: Annotated[str, typer.Option(envvar="ANZE_CORE_SECRET", help="签名密钥 / signing secret")],
    port: Annotated[int, typer.Option(envvar="ANZE_CORE_SYSTEM_PORT", min=1, max=65535, help="端口 / port")] = 8090,
    manner: Annotated[Manner, typer.Option(help="怎样答复 / how it answers")] = Manner.PROMPT,
    call_back: Annotated[str | None, typer.Option(help="接口地址，用于回报 / address of the API")] = None,
    token: Annotated[str | None, typer.Option(envvar="ANZE_CORE_TOKEN", help="回报用的密钥 / key for it")] = None,
) -> None:
    """运行替身核心系统：只记账，不付钱 / run the stand-in: it keeps books and pays nobody."""
    if is_weak(secret):
        raise typer.BadParameter(f"至少 {SHORTEST_SECRET} 个字符 / too short", param_hint="--secret")
    if (call_back is None) != (token is None):
        raise typer.BadParameter("--call-back 与 --token 须同时给出 / give both or none")
    told = CallBack(call_back.rstrip("/"), token) if call_back and token else None
    system = CoreSystem(secret.encode(), told, manner)
    config = uvicorn.Config(system.app(), host=LOOPBACK, port=port, log_config=None, access_log=False)
    asyncio.run(uvicorn.Server(config).serve())
