"""What happens to a job after it was recorded: worker, states, charging, recovery."""
