"""Addresses of feedback that machines call."""

from django.urls import path

from feedback.views import webhook

urlpatterns = [path("webhooks/github", webhook.github_webhook, name="github_webhook")]
