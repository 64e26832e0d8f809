"""Sign-in, second factors and reauthentication."""
