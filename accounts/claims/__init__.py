"""Asking a person to claim an agent, and what they decide."""
