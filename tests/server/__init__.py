"""A real SpacetimeDB server and real modules to test against, built once per machine.

`python -m tests.server --help` is the same by hand. Tests take the fixtures of `fixtures.py`.
"""
