"""Users, organizations and agents: identity, claims, permissions, activity and audit."""
