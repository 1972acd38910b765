"""The version of this software, as its documents, its image and its command show it."""

VERSION = "0.1.0"
