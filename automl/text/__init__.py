"""Strict JSON and YAML, errors of schemas, formatting, digests."""
