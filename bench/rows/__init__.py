"""The rows of BENCHMARKS.md, a file for each group."""
