"""The whole system on one machine: PostgreSQL, a broker and the three services as children of a launcher."""
