"""What API Gateway invokes: issue a token, authorize a request, show the caller's claims."""

import gc

# A container creates its objects at the start and few afterwards. By default, hundreds of
# collections would run while modules and models are loaded, and free nothing.
gc.set_threshold(50_000)
