"""Commands that do more than their request, a module each: `run(session)` returns the answer."""
