"""For development only: embedded servers, stand-ins for vendors, demo data."""
