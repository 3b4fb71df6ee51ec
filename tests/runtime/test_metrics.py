"""The internal port: metrics and health, on its own thread."""

import httpx
import pytest

from runtime.embedded.ports import LOOPBACK, free_ports
from runtime.metrics import InternalPort


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
async def test_readiness_follows_what_the_process_says(ready: bool, status: int) -> None:
    port = free_ports(1)[0]
    internal = InternalPort(LOOPBACK, port, lambda: ready)
    try:
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as http:
            assert (await http.get("/health/live")).status_code == 200
            assert (await http.get("/health/ready")).status_code == status
            assert "python_info" in (await http.get("/metrics")).text
            assert (await http.get("/other")).status_code == 404
    finally:
        internal.close()
