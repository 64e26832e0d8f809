"""The provider that runs on this machine and needs no key."""
