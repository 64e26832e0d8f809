"""Tokens of agents: creation, lookup, rotation."""
