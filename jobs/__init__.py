"""Models, providers, jobs and the images they make."""
