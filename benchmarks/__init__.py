"""What the framework does in a second, each figure beside a peer or a limit taken in the same run.

``python -m benchmarks`` prints a table and writes a JSON file. One row of figures per file.
"""
