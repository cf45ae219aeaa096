"""Keep one session open and write to it, as a running cascade does.

`python -m rvbbit_demo.live <folder> [--seconds 60]`
"""

import argparse
import itertools
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from rvbbit_demo.catalogue import Table
from rvbbit_demo.writer import connect, create_table

PHASES = (
    Table("_extract_data", "orders", 400),
    Table("_transform", "revenue", source="_extract_data"),
    Table("_by_region", "by_region", source="_transform"),
    Table("_by_product", "by_product", source="_transform"),
    Table("_tickets", "tickets", 200),
    Table("_sentiment", "sentiment", source="_tickets"),
    Table("_stock", "stock", 300),
    Table("_output", "report", source="_transform"),
)
SECONDS_PER_STEP = 1.0
STEPS_PER_PHASE = 4
ADD_ORDERS = """
    INSERT INTO _extract_data SELECT * REPLACE (order_id + 1000 * ? AS order_id) FROM _extract_data
    WHERE order_id < 100000 + 25"""


def session_id() -> str:
    """A new id of RVBBIT's usual style."""
    mood = secrets.choice(("busy", "eager", "nimble", "restless", "spry"))
    animal = secrets.choice(("badger", "curlew", "dormouse", "hare", "kestrel", "plover", "vixen"))
    return f"{mood}-{animal}-{secrets.token_hex(3)}"


def steps(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Do one thing after another, for ever, and say what was done."""
    phases = iter(PHASES)
    for step in itertools.count():
        phase = next(phases, None) if step % STEPS_PER_PHASE == 0 else None
        if phase:
            create_table(connection, phase)
            yield f"phase table {phase.name}"
        else:
            connection.execute(ADD_ORDERS, [step])
            yield "25 more rows in _extract_data"


def run(path: Path, seconds: float) -> None:
    """Write until the time is up or Ctrl-C comes, then close cleanly."""
    connection = connect(path, path.stem)
    print(f"session {path.stem} is open in {path.parent}; Ctrl-C ends it", flush=True)
    started = time.monotonic()
    try:
        for done in steps(connection):
            print(f"  {time.monotonic() - started:5.1f} s  {done}", flush=True)
            time.sleep(SECONDS_PER_STEP)
            if time.monotonic() - started >= seconds:
                break
    except KeyboardInterrupt:
        print("  stopped")
    finally:
        connection.close()
    print(f"session {path.stem} is closed")


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description="Keep one RVBBIT-like session open and write to it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        print(f"{arguments.folder} is not a folder.", file=sys.stderr)
        return 1
    # A stopped container or a job in the background ends as cleanly as Ctrl-C.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    run(arguments.folder / f"{session_id()}.duckdb", arguments.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
