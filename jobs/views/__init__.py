"""The sponsor's pages that show work: agents, pictures, jobs, refusals, and what a claim brings."""
