"""Models, providers, jobs and the pictures they make."""
