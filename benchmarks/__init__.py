"""What Chengtu costs, beside a peer that does the same in the same run: `python -m benchmarks [--help]`."""
