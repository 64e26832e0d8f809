"""What lives in Redis: its client, limits, wakeups between processes, and the broker."""
