"""`python -m rvbbit_cli`."""

from rvbbit_cli.start import run

if __name__ == "__main__":
    run()
