"""Methods by the names of the catalogue, with layers and settings."""

import pytest

from nmt_ib.attribution.attention import Attention
from nmt_ib.attribution.by_name import attribution_method
from nmt_ib.attribution.gradient import Gradient
from nmt_ib.attribution.random_scores import RandomScores
from nmt_ib.attribution.sigma import Sigma
from nmt_ib.catalog import ATTRIBUTIONS
from nmt_ib.errors import RequestError
from nmt_ib.protocols import Attributor


@pytest.mark.parametrize("name", [name for name in ATTRIBUTIONS if name != "readout"])
def test_every_name_is_a_method(name):
    assert isinstance(attribution_method(name), Attributor)


def test_presets_layers_and_seeds():
    assert attribution_method("gradient") == Gradient()
    assert attribution_method("input_x_gradient") == Gradient(times_input=True)
    assert attribution_method("random", seed=3) == RandomScores(3)
    assert attribution_method("attention@2") == Attention(layer=2)
    assert attribution_method("sigma_logits", seed=4, rate=0.2) == Sigma(part="logits", rate=0.2, seed=4)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("magic", {}, "unknown method 'magic'; known: sigma"),
        (None, {}, "method must be a name such as 'sigma', not None"),
        ("attention@last", {}, "expected the number of a layer after @"),
        ("attention@2", {"layer": 1}, "'attention@2' and layer=1 both name a layer"),
        ("occlusion@2", {}, "occlusion has no setting 'layer': leave it out; it has no settings"),
        ("gradient", {"rate": 1}, "gradient has no setting 'rate': leave it out; known: layer, times_input"),
        ("readout", {}, "readout needs the setting 'network'"),
        ("sigma", {"layer": 1.5}, r"layer must be a whole number, not 1\.5"),
        ("bottleneck", {"beta": "x"}, "beta must be a number, not 'x'"),
    ],
)
def test_wrong_requests(name, settings, message):
    with pytest.raises(RequestError, match=message):
        attribution_method(name, **settings)
