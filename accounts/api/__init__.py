"""Endpoints of identity and activity."""
