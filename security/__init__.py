"""Secrets: the keys that encrypt stored credentials, and the vault that opens them where they are used."""
