"""`keyturn doctor`: what is off, how bad it is, and what to do about it."""
