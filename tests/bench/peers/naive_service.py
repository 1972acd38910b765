"""What one would write in an hour: the peer of S1. With NAIVE_DATABASE_URL it inserts, else it does nothing.

It listens on HOTLINE_PORT, with the same server and event loop as ours.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import uuid4

import asyncpg
import uvicorn
from fastapi import Depends, FastAPI, Request

from shared.contracts.complaint import ComplaintBody

DATABASE_URL = os.environ.get("NAIVE_DATABASE_URL")


@asynccontextmanager
async def pool(app: FastAPI) -> AsyncIterator[None]:
    if DATABASE_URL is None:
        yield
        return
    async with asyncpg.create_pool(DATABASE_URL, min_size=10, max_size=10) as app.state.pool:
        yield


app = FastAPI(lifespan=pool)


async def posted(request: Request) -> bytes:
    return await request.body()


@app.get("/healthz/ready")
async def ready() -> str:
    return "ready"


@app.post("/v1/complaints", status_code=201)
async def record(request: Request, raw: Annotated[bytes, Depends(posted)]) -> dict[str, str]:
    complaint, complaint_id = ComplaintBody.model_validate_json(raw), uuid4()
    if DATABASE_URL is not None:
        await request.app.state.pool.execute(
            "INSERT INTO complaints (id, body) VALUES ($1, $2)", complaint_id, complaint.model_dump_json()
        )
    return {"complaint_id": str(complaint_id)}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["HOTLINE_PORT"]), access_log=False, log_level="error", loop="uvloop")
