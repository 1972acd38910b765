"""How much of what must go survives the sanitiser, how much of what must stay is lost, how much is held.

On the open part of the corpus, whose texts were written by other hands and are harder than what callers say,
and on the sample of the shared data where it is there. The limits are what was reached; `-s` prints tables.
"""

from pathlib import Path
from typing import Final

import pytest

from shared.sanitiser.evaluation import evaluate, lines_of

CORPUS: Final = Path(__file__).parents[3] / "corpora" / "sanitiser"
SEALED: Final = CORPUS.with_name("sanitiser_sealed")
SAMPLE: Final = Path(__file__).parents[4].parent / "shared" / "data" / "narratives-sample.ndjson"


def test_the_open_corpus_leaks_no_more_than_it_did() -> None:
    shares = evaluate(lines_of(sorted(map(str, CORPUS.glob("hand-[ab]-*.ndjson")))))
    assert shares["leaks"] <= 0.09
    assert shares["leaks_not_held"] <= 0.08
    assert shares["wrong_masks"] <= 0.045
    assert shares["held"] <= 0.25


def test_the_harder_texts_of_a_third_hand_leak_no_more_than_they_did() -> None:
    shares = evaluate(lines_of([str(CORPUS / "hand-c.ndjson")]))
    assert shares["leaks"] <= 0.32
    assert shares["wrong_masks"] <= 0.04
    assert shares["held"] <= 0.45


def test_the_sealed_corpus_leaks_no_more_than_it_did() -> None:
    """Its texts are for this measurement alone: see the README beside them."""
    shares = evaluate(lines_of(sorted(map(str, SEALED.glob("*.ndjson")))))
    assert shares["leaks"] <= 0.145
    assert shares["wrong_masks"] <= 0.085
    assert shares["held"] <= 0.31


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample of narratives of the shared data is not here")
def test_the_sample_leaks_at_most_eight_in_a_hundred() -> None:
    shares = evaluate(lines_of([str(SAMPLE)]))
    assert shares["leaks"] <= 0.08
    assert shares["wrong_masks"] <= 0.03
    assert shares["held"] <= 0.30
