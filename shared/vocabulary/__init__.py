"""The words of the domain as versioned data: forces, categories, criteria, channels, wishes, roles.

`load_vocabulary()` gives the words that come with the software, `load_vocabulary(directory)` those of a
deployment: a file in that directory replaces ours of the same name, what is not there stays ours. Every
file is ``{"version": ..., "entries": [...]}``. What is loaded is checked (codes are unique, references lead
somewhere, words that the code itself speaks are all there) and frozen; a file that is wrong raises
`VocabularyError`, which names file and entry, so that a process fails at start and not at the first
complaint.
"""

from shared.vocabulary.entries import (
    Category,
    Country,
    Criterion,
    Duty,
    Force,
    NationalCategory,
    OversightBody,
    Word,
)
from shared.vocabulary.loading import Vocabulary, VocabularyError, load_vocabulary

__all__ = [
    "Category",
    "Country",
    "Criterion",
    "Duty",
    "Force",
    "NationalCategory",
    "OversightBody",
    "Vocabulary",
    "VocabularyError",
    "Word",
    "load_vocabulary",
]
