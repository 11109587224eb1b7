"""The operator's side: the local stack and, later, the command `keyturn`."""
