"""How `local.sketch` draws: pure Pillow, the same picture for the same words and seed."""
