"""The published contract: pages for people and agents, their tables made from the code."""
