"""Addresses of the sponsor's pages about money."""

from django.urls import path

from billing import views_sponsor

urlpatterns = [
    path("credits/<str:organization_id>", views_sponsor.credits, name="credits"),
    path("credits/<str:organization_id>/buy", views_sponsor.buy, name="buy_credits"),
    path(
        "credits/<str:organization_id>/entries/<str:purpose>",
        views_sponsor.entries,
        name="credit_entries",
    ),
    path("orders/<str:payment_attempt_id>", views_sponsor.order, name="order"),
    path("receipts/<str:receipt_id>", views_sponsor.receipt, name="receipt"),
    path("receipts/<str:receipt_id>/refund", views_sponsor.ask_refund, name="ask_refund"),
]
