"""Commands of development."""
