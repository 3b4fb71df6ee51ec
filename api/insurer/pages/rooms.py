"""All pages of the insurer's room as one router; what stands on them is in the files beside this one."""

from fastapi import APIRouter

from api.insurer.pages import (
    acting,
    approving,
    cases,
    hands,
    importing,
    lists,
    opening,
    providers,
    spending,
    trails,
    victims,
    workbench,
)

router = APIRouter()
ROOMS = (workbench, lists, spending, trails, providers, importing, opening, victims, approving, cases, hands, acting)
for part in ROOMS:
    router.include_router(part.router)
