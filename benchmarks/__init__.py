"""What Chengtu costs, measured beside its peers: `python -m benchmarks`."""
