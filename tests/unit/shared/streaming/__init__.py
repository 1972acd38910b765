"""The rooms between the services. The stories here run in memory; on PostgreSQL and a real protocol they
are run again by `tests/integration/shared/streaming`."""
