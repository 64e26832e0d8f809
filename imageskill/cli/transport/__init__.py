"""The server as the client meets it: requests, proxies, MCP, downloads and uploads of images."""
