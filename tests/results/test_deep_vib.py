"""Results of the deep variational information bottleneck: a JSON round trip."""

import json

from nmt_ib.results.deep_vib import AttackCurve, DeepVIB, Evaluation


def test_json_round_trip():
    bottleneck = Evaluation(0.02, 0.01, 0.1, 40.0, 3.2)
    baseline = Evaluation(0.02, 0.02, 0.1, None, 3.2)  # without noise there is no bound of I(Z;X)
    curve = AttackCurve("FGSM", "mean code", (0.0, 0.1), (0.99, 0.5), 0.0, 60)
    result = DeepVIB({"beta": 0.1, "objective": "bottleneck"}, "0" * 16, "1" * 16, 12, bottleneck, baseline, (curve,))
    assert DeepVIB.from_dict(json.loads(json.dumps(result.to_dict()))) == result
