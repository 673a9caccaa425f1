"""The database: registry, packed interval blocks, due work, audit; SQLite and PostgreSQL, one schema.

Times are integers: ``*_ms`` milliseconds since 1970-01-01 UTC, ``day`` whole days since then. The store reads
no clock; what time it is comes in as an argument.
"""
