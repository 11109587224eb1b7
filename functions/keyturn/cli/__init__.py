"""The operator's command `keyturn`, and the local stack that it can start."""
