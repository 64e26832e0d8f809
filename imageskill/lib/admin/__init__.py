"""What every page of the operator console shares: lists by key, read-only bases, actions."""
