"""The sponsor's pages that show work: agents, images, jobs, refusals, and what a claim brings."""
