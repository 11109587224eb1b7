"""`keyturn cost`: what a stack costs a month at a given load."""
