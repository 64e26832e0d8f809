"""Email: rendering, alerts to sponsors and the development outbox."""
