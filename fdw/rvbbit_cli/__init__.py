"""The command `rvbbit-fdw`: a client of the SQL surface for people at a shell and for scripts.

It talks to the server as any client does. Only `doctor` and `demo` look at files, and nothing of the server
imports this package.
"""
