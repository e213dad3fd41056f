"""The venue's endpoints, one module per group; each offers `routes(...)` for `simulator.server`."""
