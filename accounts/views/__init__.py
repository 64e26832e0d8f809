"""Sponsor pages about accounts and claims; pages about jobs or money are in those apps."""
