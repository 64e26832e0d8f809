"""The command line `image-skill`: a thin client that starts at once and never loses a result."""
