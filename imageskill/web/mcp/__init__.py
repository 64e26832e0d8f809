"""The same operations as MCP tools: each tool is a command, read by the same grammar."""
