"""All pages of the insurer's room as one router; what stands on them is in the files beside this one."""

from fastapi import APIRouter

from api.insurer.pages import acting, cases, importing, lists, opening, victims, workbench

router = APIRouter()
for part in (workbench, lists, importing, opening, victims, cases, acting):
    router.include_router(part.router)
