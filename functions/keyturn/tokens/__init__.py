"""RS256 access tokens (RFC 9068, with RFC 7515, 7517, 7519). Independent of keyset and AWS."""
