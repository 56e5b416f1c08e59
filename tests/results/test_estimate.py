"""An estimate is a float that carries its uncertainty."""

import math
import pickle
from dataclasses import replace

import pytest

from nmt_ib.results.estimate import Estimate


def test_it_is_a_number_and_more():
    estimate = Estimate(0.5, error=0.1, settings={"estimator": "none"})
    assert estimate == estimate.value == estimate.nats == 0.5
    assert estimate / 2 < 0.3
    assert max(estimate, replace(estimate, value=1.0)).nats == 1.0
    again = pickle.loads(pickle.dumps(estimate))  # noqa: S301
    assert (again, again.settings, again.error) == (0.5, {"estimator": "none"}, 0.1)


def test_bits():
    assert Estimate(math.log(4)).bits == pytest.approx(2)


def test_what_has_no_unit_has_no_bits():
    with pytest.raises(AttributeError, match="unit '' has no value in nats"):
        _ = Estimate(0.5, unit="", interval=(0.4, 0.6)).bits
