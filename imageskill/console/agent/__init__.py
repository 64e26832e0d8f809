"""The agent page: what all apps know of one agent."""
