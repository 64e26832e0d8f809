"""What became of an image's signed C2PA manifest (ADR 14). These are stored."""

NONE = ""  # it had none, or nobody asked for it to be kept
KEPT = "kept"
REMOVED = "removed"  # beside it stood what had to go, and it would no longer verify
CHOICES = [(KEPT, "Kept"), (REMOVED, "Removed")]
