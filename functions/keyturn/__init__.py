"""Keyturn: JWT signing keys in AWS KMS that turn without refusing a valid token."""
