"""Endpoints of models, creating, images and jobs."""

from ninja import Router

from jobs.api import assets, create, guide, jobs, models, upload

router = Router()
for _part in (models, guide, create, upload, assets, jobs):
    router.add_router("", _part.router)

__all__ = ["router"]
