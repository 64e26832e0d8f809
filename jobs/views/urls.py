"""URLs of sponsor pages about agents, images and jobs."""

from django.urls import path

from jobs.views import agent, agents, claim

urlpatterns = [
    path("agents", agents.my_agents, name="my_agents"),
    path("agents/<str:agent_id>", agent.overview, name="agent"),
    path("agents/<str:agent_id>/images", agent.images, name="agent_images"),
    path("agents/<str:agent_id>/jobs", agent.jobs, name="agent_jobs"),
    path("agents/<str:agent_id>/refusals", agent.agent_refusals, name="agent_refusals"),
    path("agents/<str:agent_id>/activity", agent.agent_activity, name="agent_activity"),
    path("jobs/<str:job_id>", agent.job, name="sponsor_job"),
    path("claims/<str:claim_id>", claim.claim, name="claim"),
]
