"""What API Gateway calls: issue a token, authorize a request, say who is asking."""

import gc

# A container makes what it needs once, and little afterwards: hundreds of collections while modules
# and models are read find nothing.
gc.set_threshold(50_000)
