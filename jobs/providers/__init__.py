"""The makers of images: one port, one adapter for each provider, one table of failures."""
