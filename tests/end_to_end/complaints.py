"""Invented complaints for end-to-end tests, each with words of its own that can be searched for."""

import gzip
import json
from pathlib import Path
from typing import Any

CATEGORIES = (
    "sexual.abuse_of_position",
    "partner_abuse.violence",
    "influence.disclosure",
    "other.excessive_force",
    "other.incivility",
)
FORCES = ("hampshire", "kent", "metropolitan", "surrey", "essex")


def complaint(number: int) -> dict[str, Any]:
    """Every word that could expose anybody is unlike any other: Narrative42x, Zsurname42x, ..."""
    return {
        "channel": "phone",
        "narrative": f"Narrative{number}x: he came to my door. Call me on 07700 9{number % 100000:05d}.",
        "subjects": [
            {
                "name": f"PC Zsurname{number}x",
                "collar_number": f"Collar{number}x",
                "force": FORCES[number % 5],
                "unit": f"Unit{number}x",
                "description": f"Descript{number}x",
            }
        ],
        "allegations": [{"code": CATEGORIES[number % 5]}],
        "incident": {"from": "2021-05-06", "to": "2021-05-06", "place": f"Placeof{number}x"},
        "external_reference": f"Reference{number}x",
    }


def write_complaints(path: Path, count: int) -> Path:
    """`count` complaints as NDJSON, gzip."""
    with gzip.open(path, "wt") as file:
        for number in range(count):
            file.write(json.dumps(complaint(number)) + "\n")
    return path
