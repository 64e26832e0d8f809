"""The makers of images: one interface, a folder for each vendor, one table of failures."""
