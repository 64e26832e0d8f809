"""Pages about credits, payments, receipts and refunds."""
