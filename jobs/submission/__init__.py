"""From a request to a recorded job: prepare, moderate, submit, wait."""
