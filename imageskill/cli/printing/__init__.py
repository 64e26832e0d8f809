"""Answers as text for people: what a terminal shows where JSON was not asked for."""
