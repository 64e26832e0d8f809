"""Pages about money: payment, credits, receipts, refunds."""
