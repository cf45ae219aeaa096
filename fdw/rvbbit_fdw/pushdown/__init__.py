"""What PostgreSQL asks, as typed trees, and what of it can be done before rows travel."""
