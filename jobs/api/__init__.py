"""Endpoints of models, creating, pictures and jobs."""

from ninja import Router

from jobs.api import creating, jobs, models, pictures, uploading

router = Router()
for _part in (models, creating, uploading, pictures, jobs):
    router.add_router("", _part.router)

__all__ = ["router"]
