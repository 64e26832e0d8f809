"""A believable history to look at: made of chance with a seed, and as consistent as a real one."""
