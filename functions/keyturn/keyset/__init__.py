"""The keyset: which keys sign, which verify, and when that may change. No clock, no I/O."""
