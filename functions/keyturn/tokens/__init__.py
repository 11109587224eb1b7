"""RS256 access tokens (RFC 9068 over RFC 7515, 7517, 7519). Knows no keyset and no AWS."""
