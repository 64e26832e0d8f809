"""Claim requests: sending them to a person, and the person's decision."""
