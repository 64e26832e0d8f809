"""Credits: the ledger, buying them, and taking them back."""
