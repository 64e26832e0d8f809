"""The console's first page: what needs attention, then the overview."""
