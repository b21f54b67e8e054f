"""Speed and size of the product, measured beside a classic Django project: `python -m tests.perf`."""
