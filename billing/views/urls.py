"""URLs of sponsor pages about credits."""

from django.urls import path

from billing.views import credits

urlpatterns = [
    path("credits/<str:organization_id>", credits.credits, name="credits"),
    path("credits/<str:organization_id>/buy", credits.buy, name="buy_credits"),
    path(
        "credits/<str:organization_id>/entries/<str:purpose>",
        credits.entries,
        name="credit_entries",
    ),
    path("orders/<str:payment_attempt_id>", credits.order, name="order"),
    path("receipts/<str:receipt_id>", credits.receipt, name="receipt"),
    path("receipts/<str:receipt_id>/refund", credits.request_refund, name="ask_refund"),
]
