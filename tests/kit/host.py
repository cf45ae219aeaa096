"""Which host runs the brain in the servers of the tests: our own, or Multicorn2."""

import os

HOST = os.environ.get("RVBBIT_HOST", "rvbbit_fdw")
ON_MULTICORN2 = HOST == "multicorn2"

WRAPPER = "multicorn" if ON_MULTICORN2 else "rvbbit_fdw"
"""The foreign-data wrapper, and the extension that it comes with."""

MULTICORN2_IMAGE = os.environ.get("MULTICORN2_IMAGE", "")
NO_MULTICORN2 = "not run: no image with Multicorn2 on PostgreSQL 17 was named by MULTICORN2_IMAGE"

DEFAULT_IMAGE = "rvbbit-fdw-multicorn2:latest" if ON_MULTICORN2 else "rvbbit-fdw:latest"
