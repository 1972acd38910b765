"""A model out of streams: officers first, then incidents, whose evidence of officers they give."""

from collections.abc import Callable, Sequence

from services.dedup.domain.comparing import compare_incidents
from services.dedup.domain.comparing_officers import compare_officers
from services.dedup.domain.features import FORM
from services.dedup.domain.model import Clustering, Duplicate, Model, PairModel, Zones
from services.dedup.domain.scoring import Scorer
from services.dedup.training.fitting import Fitted, Level, fitted
from services.dedup.training.pairs import Pair, Prepared, candidate_pairs

_INCIDENT_IDENTIFIERS = (
    ("officers", "other officers"),
    ("narrative", "phrases", "names in the text"),
    ("place",),
)
_OFFICER_IDENTIFIERS = (("name",), ("collar number",), ("vehicle",), ("looks", "description"))
_CORROBORATION = 1.5

INCIDENT_ZONES = Zones(review=-2.0, accept=3.0)
OFFICER_ZONES = Zones(review=-3.0, accept=0.0)
"""Thresholds do not carry over from streams to a deployment (7-matching.md, point 7). Until people have
judged pairs, these are on the side of caution: streams alone would accept incidents from about 1 on, and
sweep together real complaints of a city in which few kinds and places come again and again."""
_FIT = -3.0
_UNSEEN = -4.3
"""-3 nats (7-matching.md, point 8)."""
_SEEN = 30
"""Three quarters of the candidates that a complaint is compared with at most: so many kept links mean that
there were more to be found."""


def trained(streams: Sequence[Prepared], version: str, progress: Callable[[str], None]) -> Model:
    """A model with the thresholds that hold before anybody has judged a pair."""
    compared = []
    for number, stream in enumerate(streams, 1):
        compared.append(list(candidate_pairs(stream.features)))
        progress(f"stream {number}: {len(compared[-1]) / len(stream.features):.1f} candidates a complaint")
    officer = _officer_model(streams, compared)
    progress("officers fitted")
    blank = _pair_model(Fitted(0.0, {}), _INCIDENT_IDENTIFIERS, INCIDENT_ZONES)
    model = Model(
        version=version,
        form=FORM,
        incident=blank,
        officer=officer,
        duplicate=Duplicate(similarity=0.5, words=25),
    )
    incident = _incident_model(Scorer(model), streams, compared)
    progress("incidents fitted")
    return model.model_copy(update={"incident": incident})


def _officer_model(streams: Sequence[Prepared], compared: Sequence[Sequence[Pair]]) -> PairModel:
    levels: list[Sequence[Level]] = []
    truth: list[bool] = []
    for stream, pairs in zip(streams, compared, strict=True):
        for a, b in pairs:
            one, other = stream.features[a], stream.features[b]
            for i, x in enumerate(one.officers):
                for j, y in enumerate(other.officers):
                    if found := compare_officers(x, y, one, other):
                        levels.append(found)
                        whose = stream.officer(a, i)
                        truth.append(whose is not None and whose == stream.officer(b, j))
    return _pair_model(fitted(levels, truth), _OFFICER_IDENTIFIERS, OFFICER_ZONES)


def _incident_model(
    scorer: Scorer, streams: Sequence[Prepared], compared: Sequence[Sequence[Pair]]
) -> PairModel:
    levels: list[Sequence[Level]] = []
    truth: list[bool] = []
    for stream, pairs in zip(streams, compared, strict=True):
        for a, b in pairs:
            one, other = stream.features[a], stream.features[b]
            levels.append(compare_incidents(one, other, scorer.evidence_of_officers(one, other)))
            truth.append(stream.labelled[a].incident == stream.labelled[b].incident)
    return _pair_model(fitted(levels, truth), _INCIDENT_IDENTIFIERS, INCIDENT_ZONES)


def _pair_model(found: Fitted, identifiers: tuple[tuple[str, ...], ...], zones: Zones) -> PairModel:
    return PairModel(
        prior=found.prior,
        weights={field: dict(levels) for field, levels in found.weights.items()},
        identifiers=identifiers,
        corroboration=_CORROBORATION,
        zones=zones,
        clustering=Clustering(average=zones.accept, fit=_FIT, unseen=_UNSEEN, seen=_SEEN),
    )
