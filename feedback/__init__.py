"""Reports of agents: intake, triage, and the way to GitHub."""
