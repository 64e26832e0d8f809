"""URLs of payments and of Stripe's webhook."""

from django.urls import path

from billing.views import payments

urlpatterns = [
    path("webhooks/stripe", payments.stripe_webhook, name="stripe_webhook"),
    path("pay/<str:payment_attempt_id>", payments.pay, name="pay"),
    path("pay/<str:payment_attempt_id>/paid", payments.paid, name="pay_paid"),
    path("pay/<str:payment_attempt_id>/canceled", payments.canceled, name="pay_canceled"),
]
