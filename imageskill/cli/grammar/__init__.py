"""What can be typed, as data: shared by client, `/v1/cli`, MCP, help, completion and `/cli.md`."""
