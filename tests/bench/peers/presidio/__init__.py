"""Presidio as a peer of the sanitiser."""
