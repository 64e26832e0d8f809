"""Limits of agents: jobs and credits by day, and emails when a limit is near."""
