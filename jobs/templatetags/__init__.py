"""Template filters for images and jobs."""
