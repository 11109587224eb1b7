"""The only package that imports boto3: all AWS calls, the translation of their errors, settings."""
