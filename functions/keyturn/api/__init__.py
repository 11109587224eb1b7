"""What API Gateway calls: issue a token, authorize a request, say who is asking."""
