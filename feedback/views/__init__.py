"""Pages and webhook of feedback."""
