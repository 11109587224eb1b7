"""`keyturn verify`: whether the authorizer accepts a token, and why."""
