"""One retryable side effect per method, on classes that receive their ports. Workflows reach the outside only here."""
