"""Addresses of feedback that machines call."""

from django.urls import path

from feedback import views

urlpatterns = [path("webhooks/github", views.github_webhook, name="github_webhook")]
