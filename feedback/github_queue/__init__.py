"""The way of a report to a GitHub issue and back."""
