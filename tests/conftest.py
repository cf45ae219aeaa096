"""Settings that must stand before anything imports testcontainers."""

import os

# Its reaper is an image that must be fetched; containers are removed by context managers instead.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
