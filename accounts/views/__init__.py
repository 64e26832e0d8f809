"""The sponsor's pages; those that show jobs or money stand in the apps that know them."""
