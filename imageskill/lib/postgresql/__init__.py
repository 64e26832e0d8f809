"""PostgreSQL beyond Django: a pool that survives a restart, days in UTC, JSON it can store."""
