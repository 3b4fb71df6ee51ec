"""The insurers of a story, by the API, and their policies; enterprises and departments are in readers.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from api.insurer.doors import SAMPLE_FILE
from models.contracts.ids import hazard_id, policy_workflow_id
from runtime.demo.town import Town


class NotDone(Exception):
    """Somebody was not let do what the story has them do; the text says who and why."""


@dataclass
class Insurer:
    """An insurer's core system with its key."""

    town: Town
    code: str
    token: str
    digest: str = ""

    async def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid4())}
        return await self.town.http.post(path, json=body, headers=headers)

    async def get(self, path: str) -> Any:
        answer = await self.town.http.get(path, headers={"Authorization": f"Bearer {self.token}"})
        return answer.raise_for_status().json()

    async def file(self, name: str) -> dict[str, str]:
        """An attachment that was handed in before."""
        if not self.digest:
            headers = {
                "Authorization": f"Bearer {self.token}",
                "Idempotency-Key": str(uuid4()),
                "Content-Type": "application/pdf",
            }
            answer = await self.town.http.post("/v1/files", content=SAMPLE_FILE, headers=headers)
            self.digest = answer.raise_for_status().json()["digest"]
        return {"digest": self.digest, "name": name, "media_type": "application/pdf"}


@dataclass
class Policy:
    """A policy as the people around it know it."""

    insurer: Insurer
    id: UUID
    number: str
    email: str
    story: str = ""
    name: str = ""
    region: str = ""
    visits: int = 0
    hazards: list[str] = field(default_factory=list)

    @property
    def workflow_id(self) -> str:
        return policy_workflow_id(self.insurer.code, self.number)

    async def command(self, path: str, **body: Any) -> dict[str, Any]:
        """The insurer acts on the policy, today. Raises NotDone."""
        return await self._send(f"/v1/policies/{self.id}/{path}", body)

    async def hazard(self, path: str, **body: Any) -> dict[str, Any]:
        """The insurer acts on the latest hazard, today. Raises NotDone."""
        return await self._send(f"/v1/hazards/{hazard_id(self.id, self.hazards[-1])}/{path}", body)

    async def attempt(self, path: str, **body: Any) -> httpx.Response:
        """Try something that may be refused."""
        await self.insurer.town.traveller.arrive(self.workflow_id)
        return await self.insurer.post(f"/v1/policies/{self.id}/{path}", body)

    async def visit(self, **found: Any) -> dict[str, Any]:
        """A service at the premises; with `found`, one hazard."""
        self.visits += 1
        hazards: list[dict[str, Any]] = []
        if found:
            self.hazards.append(f"H-{len(self.hazards) + 1:03d}")
            hazards.append({"number": self.hazards[-1], **found})
        body = {
            "number": f"V-{self.visits:03d}",
            "on": str(self.insurer.town.today),
            "items": ["hazard_inspection"],
            "place": "生产现场",
            "staff_count": 2,
            "summary": "按服务计划开展事故隐患排查。",
            "hazards": hazards,
        }
        return await self.command("visits", **body)

    async def _send(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        await self.insurer.town.traveller.arrive(self.workflow_id)
        answer = await self.insurer.post(path, body)
        if answer.is_error:
            raise NotDone(f"{self.number} {path.rpartition('/')[2]}：{answer.status_code} {answer.text}")
        return answer.json()
