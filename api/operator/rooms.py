"""The operators' room put together: its routers in the order their addresses are tried."""

from fastapi import APIRouter

from api.operator import adopting, cases, covering, directory, mails, packs, pages, trails, turning

router = APIRouter()
for part in (
    pages.router,
    cases.router,
    mails.router,
    directory.router,
    covering.router,
    adopting.router,
    packs.router,
    turning.router,
    trails.router,
):
    router.include_router(part)
