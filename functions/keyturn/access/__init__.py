"""Who may ask for which tokens, and which API wants which: the documents of clients and APIs."""
