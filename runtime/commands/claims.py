"""`anze claims`: reading, acting and upkeep of claims under one name; each is in a file of its own beside this one."""

import typer

from runtime.commands import claims_acting, claims_reading, claims_upkeep

app = typer.Typer(name="claims", help="理赔：查看、办理、对账、换密钥 / claims", no_args_is_help=True)


@app.callback()
def claims() -> None:
    """理赔：查看、办理、对账、换密钥 / claims."""


for part in (claims_reading, claims_acting, claims_upkeep):
    app.add_typer(part.app)
