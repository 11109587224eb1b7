"""Which tokens a client may have and an API accepts: the documents of clients and APIs."""
