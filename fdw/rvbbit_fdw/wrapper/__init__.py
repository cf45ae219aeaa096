"""The foreign-data wrapper class for Multicorn2 3.2: the only part of this package that imports multicorn.

CREATE SERVER rvbbit FOREIGN DATA WRAPPER multicorn
    OPTIONS (wrapper 'rvbbit_fdw.wrapper.RvbbitWrapper', session_dir '/path/to/session_dbs');
"""

from rvbbit_fdw.wrapper.foreign import RvbbitWrapper

__all__ = ["RvbbitWrapper"]
