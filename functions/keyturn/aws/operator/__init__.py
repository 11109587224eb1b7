"""The deployed stack from outside: what the operator's command asks of an account."""
