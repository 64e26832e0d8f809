"""What an agent may use: jobs and credits a day, and mail when a limit is near."""
