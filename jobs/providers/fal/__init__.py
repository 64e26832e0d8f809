"""fal: its queue and its errors."""
