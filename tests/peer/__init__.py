"""The live peer of versions 2 and 3 (crates/spacetime_py_peer), as tests run it."""
