"""Settings of tags: out of range, or without meaning for their kind; what they promise is a contract."""

import pytest

from nmt_ib.compression.kinds import BOTTLENECKS, KINDS, TagSettings
from nmt_ib.errors import RequestError


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_with_a_rate_term(kind):
    assert TagSettings(kind).is_bottleneck == (kind in BOTTLENECKS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "magic"}, "unknown tags 'magic'; known: continuous, discrete, identity, pca, mlp, pos, random"),
        ({"dim": 0}, "at least 1 dimension"),
        ({"num_tags": 1}, "at least 2"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, not 1.0"),
        ({"dropout": -0.5}, "dropout must be at least 0 and below 1, not -0.5"),
        ({"kind": "mlp", "deep": True}, "only continuous and discrete tags have hidden layers: omit deep for mlp"),
        ({"kind": "discrete", "standard_prior": True}, "only continuous tags have a standard prior"),
    ],
    ids=str,
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        TagSettings(**settings)
