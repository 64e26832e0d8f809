"""Agents' tokens: minted, looked up, rotated."""
