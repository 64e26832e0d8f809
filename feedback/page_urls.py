"""Addresses of the sponsor's pages about feedback."""

from django.urls import path

from feedback import views_sponsor

urlpatterns = [
    path("agents/<str:agent_id>/feedback", views_sponsor.agent_feedback, name="agent_feedback"),
]
