"""Sponsor pages about agents, images, jobs and refusals, and the preview of a claim request."""
