"""Template tags of the pages about work."""
