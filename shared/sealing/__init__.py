"""Sealing: JWE payloads, key rings, and the data keys whose destruction erases a complaint."""
