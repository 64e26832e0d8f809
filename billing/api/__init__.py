"""Endpoints of billing."""

from ninja import Router

from billing.api.accounts import router as accounts_router
from billing.api.purchases import router as purchases_router

router = Router()
router.add_router("", accounts_router)
router.add_router("", purchases_router)

__all__ = ["router"]
