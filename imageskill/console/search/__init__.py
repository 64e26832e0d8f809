"""The search for everything: what a pasted text may name, and its page."""
