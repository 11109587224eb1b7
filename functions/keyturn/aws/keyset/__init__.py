"""Where the keyset lives: generations in SSM, public documents and history in S3, signing keys in KMS."""
