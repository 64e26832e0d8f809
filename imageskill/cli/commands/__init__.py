"""One module for each command that does more than its request: `run(session)` gives the answer."""
