"""How `local.sketch` draws: pure Pillow, the same image for the same words and seed."""
