"""What the web serves for all apps: the API, MCP, documents, health."""
