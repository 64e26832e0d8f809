"""Image Skill: a creative runtime for AI agents."""

__version__ = "0.1.0"
