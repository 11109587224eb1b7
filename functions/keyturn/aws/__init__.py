"""The only package that imports boto3: every AWS call, its errors translated, and the settings."""
