"""The makers of pictures: one port, one adapter for each provider, one table of failures."""
