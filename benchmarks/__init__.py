"""Commands that measure: each prints a table, and what it writes is committed."""
