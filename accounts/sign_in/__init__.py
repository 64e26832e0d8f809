"""How people sign in and prove who they are."""
