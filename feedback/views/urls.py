"""URLs of the sponsor's pages about feedback."""

from django.urls import path

from feedback.views import agent_feedback

urlpatterns = [
    path("agents/<str:agent_id>/feedback", agent_feedback.agent_feedback, name="agent_feedback"),
]
