"""Who is staff: roles, their permissions, and who has which role."""
