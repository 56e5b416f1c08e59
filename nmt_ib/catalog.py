"""Names that a user may type, and the dotted path of what each of them names: tables only."""

from typing import Any

# Name -> class, and settings that make it what the name says; imported when asked for.
ATTRIBUTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "sigma": ("nmt_ib.attribution.sigma.Sigma", {}),
    "sigma_decoder": ("nmt_ib.attribution.sigma.Sigma", {"part": "decoder", "per_token": True}),
    "sigma_logits": ("nmt_ib.attribution.sigma.Sigma", {"part": "logits"}),
    "bottleneck": ("nmt_ib.attribution.bottleneck.Bottleneck", {}),
    "readout": ("nmt_ib.attribution.readout.Readout", {}),
    "gradient": ("nmt_ib.attribution.gradient.Gradient", {}),
    "input_x_gradient": ("nmt_ib.attribution.gradient.Gradient", {"times_input": True}),
    "integrated_gradients": ("nmt_ib.attribution.integrated_gradients.IntegratedGradients", {}),
    "attention": ("nmt_ib.attribution.attention.Attention", {}),
    "attention_rollout": ("nmt_ib.attribution.attention.Attention", {"rollout": True}),
    "alti": ("nmt_ib.attribution.alti.Alti", {}),
    "alti_block": ("nmt_ib.attribution.alti.Alti", {"rollout": False}),
    "occlusion": ("nmt_ib.attribution.occlusion.Occlusion", {}),
    "contribution": ("nmt_ib.attribution.contribution_scores.ContributionScores", {}),
    "random": ("nmt_ib.attribution.random_scores.RandomScores", {}),
}

# Setting without which a method cannot be made -> what to give.
NEEDED = {"network": "a network that recipes/train_readout.py trained, or its directory (--network)"}

ANSWERLESS = ("sigma", "attention", "attention_rollout", "alti", "alti_block")  # explain a bare encoder, too

# Command of a run -> type of its result, and what writes its report and figures.
RESULTS = {
    "diagnose": "nmt_ib.results.diagnosis.Diagnosis",
    "retain": "nmt_ib.results.retention.Retention",
    "attribute": "nmt_ib.results.attribution.Attributions",
    "compress": "nmt_ib.results.parsing.CompressionSweep",
    "parse": "nmt_ib.results.parsing.Parses",
    "plane": "nmt_ib.results.information_plane.Plane",
    "plane --model": "nmt_ib.results.transformer_plane.TransformerPlane",
    "curve": "nmt_ib.results.ib_curve.IBCurve",
    "benchmark attribution": "nmt_ib.results.benchmark.Benchmark",
    "benchmark alignment": "nmt_ib.results.benchmark.Benchmark",
    "benchmark parsing": "nmt_ib.results.parsing.ParserTest",
    "benchmark mi": "nmt_ib.results.estimator_benchmark.EstimatorBenchmark",
}
REPORTS = {
    "diagnose": "nmt_ib.reports.rendering.diagnosis",
    "retain": "nmt_ib.reports.rendering.retention",
    "attribute": "nmt_ib.reports.rendering.attributions",
    "compress": "nmt_ib.reports.rendering.compression",
    "parse": "nmt_ib.reports.rendering.parses",
    "plane": "nmt_ib.reports.rendering.plane",
    "plane --model": "nmt_ib.reports.rendering.transformer_plane",
    "curve": "nmt_ib.reports.rendering.curve",
    "benchmark attribution": "nmt_ib.reports.rendering.no_figures",
    "benchmark alignment": "nmt_ib.reports.rendering.no_figures",
    "benchmark parsing": "nmt_ib.reports.rendering.no_figures",
    "benchmark mi": "nmt_ib.reports.rendering.estimators",
}
