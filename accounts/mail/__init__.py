"""Mail: sending, alerts, the development outbox."""
