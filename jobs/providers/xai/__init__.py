"""xAI's image API."""
