"""What crosses a boundary: the body of a complaint, the events, and their JSON Schemas.

`complaint` is what a client sends, `events` what services publish; `schemas` writes both as JSON Schema
2020-12 and keeps later changes compatible.
"""
