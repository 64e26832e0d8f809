"""What `/v1/models` and `/v1/capabilities` answer, and which models can run."""
