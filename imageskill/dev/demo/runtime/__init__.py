"""What a history runs on: time, chance, settings, and vendors that stand in."""
