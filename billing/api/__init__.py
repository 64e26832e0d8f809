"""Endpoints of billing."""

from ninja import Router

from billing.api.accounts import router as accounts_router

router = Router()
router.add_router("", accounts_router)

__all__ = ["router"]
