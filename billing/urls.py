"""Addresses of paying."""

from django.urls import path

from billing import views

urlpatterns = [
    path("webhooks/stripe", views.stripe_webhook, name="stripe_webhook"),
    path("pay/<str:payment_attempt_id>", views.pay, name="pay"),
    path("pay/<str:payment_attempt_id>/paid", views.paid, name="pay_paid"),
    path("pay/<str:payment_attempt_id>/canceled", views.canceled, name="pay_canceled"),
]
