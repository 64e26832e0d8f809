"""Credits: the ledger, purchases, refunds and disputes."""
