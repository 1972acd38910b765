"""The whole system in containers on one machine, by `deploy/compose.yaml`: `make up`, `make down`."""
