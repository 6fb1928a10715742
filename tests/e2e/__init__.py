"""End-to-end tests: the real binary, driven by the clients that people use."""
