"""`keyturn doctor`: what is wrong, how serious it is, and what to do about it."""
