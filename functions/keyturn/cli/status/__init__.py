"""`keyturn status`: the keys at a glance, as table and timeline, in the terminal or as a page."""
