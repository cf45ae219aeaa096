"""Demo sessions: what RVBBIT leaves in its folder, written by DuckDB itself."""
