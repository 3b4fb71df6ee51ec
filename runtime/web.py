"""The web process: the application with its tools plugged in."""

from fastapi import FastAPI

from runtime.settings import Settings


def create(settings: Settings | None = None) -> FastAPI:
    """The application for uvicorn; without settings it reads them from the environment."""
    app = FastAPI(title="anze")

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app
