"""Who people and agents are, and what they did."""
