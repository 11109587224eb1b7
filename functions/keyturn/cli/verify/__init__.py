"""`keyturn verify`: what the authorizer makes of a token, and why."""
