"""What finance reads across the apps: sales, cost, margin, and the evidence of a dispute."""
