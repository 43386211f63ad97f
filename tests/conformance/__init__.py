"""The contract that SpacetimeDB's own SDKs are tested by, kept by this one.

`python -m tests.conformance.client CASE` is the client, one case in one process: it finds its
database by `SPACETIME_SDK_TEST_DB_NAME` and `SPACETIME_SDK_TEST_SERVER_URL`, and its exit status is
the verdict. The names of the cases are those of the other SDKs' tests; the modules
(`tests/modules/contract_py`) and the cases are this project's own. docs/conformance.md has the
table.
"""
