"""Information, in bits, inside translation and language models."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt_ib import benchmark, info
    from nmt_ib.attribution.answers import own_answers
    from nmt_ib.attribution.bottleneck import Bottleneck
    from nmt_ib.attribution.by_name import attribution_method
    from nmt_ib.attribution.contribution import ContributionMethod
    from nmt_ib.attribution.readout import ReadoutNetwork
    from nmt_ib.attribution.readout_training import ReadoutTraining, train_readout
    from nmt_ib.attribution.sigma import Sigma
    from nmt_ib.attribution.statistics_measurement import statistics_for
    from nmt_ib.compression.corpus import ParsingCorpus
    from nmt_ib.compression.kinds import TagSettings
    from nmt_ib.compression.objective import CompressionObjective
    from nmt_ib.compression.saved import load_parser
    from nmt_ib.compression.training import ParserTraining, train_parser_epoch
    from nmt_ib.data.classification import read_labelled
    from nmt_ib.data.conllu import read_conllu
    from nmt_ib.data.images import read_images
    from nmt_ib.data.text import read_lines
    from nmt_ib.deep_vib.training import DeepVIBSettings
    from nmt_ib.errors import RequestError
    from nmt_ib.models.classifier import HuggingFaceClassifier
    from nmt_ib.models.loading import load_embedder, load_encoder_model, load_model, load_translation_model
    from nmt_ib.models.modules import ModuleClassifier
    from nmt_ib.models.seq2seq import Seq2SeqModel
    from nmt_ib.models.vocabulary import word_tokenizer
    from nmt_ib.networks.batched import BatchedNetworks
    from nmt_ib.networks.estimators import estimate_layers
    from nmt_ib.networks.experiments import Experiment, experiment_of
    from nmt_ib.networks.snapshots import NetworkSnapshot
    from nmt_ib.parsing.biaffine import ParserSettings
    from nmt_ib.parsing.decoding import maximum_spanning_trees
    from nmt_ib.progress import progress_bar
    from nmt_ib.protocols import EncoderModel
    from nmt_ib.readability import readable_sentences
    from nmt_ib.reports.png.information_plane import write_approach_figure
    from nmt_ib.reports.png.parsing import write_tag_pictures
    from nmt_ib.reports.png.plane import write_planes_figure
    from nmt_ib.reports.png.transformer_plane import write_training_figure
    from nmt_ib.results.attribution import Attribution, Attributions
    from nmt_ib.results.deep_vib import DeepVIB
    from nmt_ib.results.diagnosis import Diagnosis, SentenceDiagnosis
    from nmt_ib.results.ib_curve import IBCurve
    from nmt_ib.results.information_plane import Plane
    from nmt_ib.results.parsing import CompressionSweep, ParserTest, Parses
    from nmt_ib.results.retention import Retention
    from nmt_ib.results.transformer_plane import TransformerPlane
    from nmt_ib.runs.loading import load_run, render
    from nmt_ib.studies.attribution import attribute
    from nmt_ib.studies.deep_vib import run_deep_vib
    from nmt_ib.studies.parsing.compress import compress
    from nmt_ib.studies.parsing.compression import CompressionStudy
    from nmt_ib.studies.parsing.parse import parse
    from nmt_ib.studies.parsing.specialization import nearest_words, probe_pos, sampled_tags, tag_table, tsne
    from nmt_ib.studies.parsing.treebank_vectors import embed_treebank
    from nmt_ib.studies.parsing.treebanks import sample_sentences
    from nmt_ib.studies.planes.curve import ib_curve
    from nmt_ib.studies.planes.layer_states import LayerStates, gather_states, read_sources
    from nmt_ib.studies.planes.layers_at_limit import ib_curve_of_task, layers_at_limit
    from nmt_ib.studies.planes.networks import information_plane
    from nmt_ib.studies.planes.plane import plane
    from nmt_ib.studies.planes.transformer import TransformerPlaneStudy
    from nmt_ib.studies.retention.retain import retain
    from nmt_ib.studies.under_translation.calibration import estimate_reference
    from nmt_ib.studies.under_translation.diagnose import diagnose
    from nmt_ib.types import Sentence, Tree

# Public names and where they live: importing nmt_ib loads none of them, so it does not load torch.
_HOMES = {
    "Attribution": "results.attribution",
    "Attributions": "results.attribution",
    "BatchedNetworks": "networks.batched",
    "Bottleneck": "attribution.bottleneck",
    "CompressionObjective": "compression.objective",
    "CompressionStudy": "studies.parsing.compression",
    "CompressionSweep": "results.parsing",
    "ContributionMethod": "attribution.contribution",
    "DeepVIB": "results.deep_vib",
    "DeepVIBSettings": "deep_vib.training",
    "Diagnosis": "results.diagnosis",
    "EncoderModel": "protocols",
    "Experiment": "networks.experiments",
    "HuggingFaceClassifier": "models.classifier",
    "IBCurve": "results.ib_curve",
    "LayerStates": "studies.planes.layer_states",
    "ModuleClassifier": "models.modules",
    "NetworkSnapshot": "networks.snapshots",
    "ParserSettings": "parsing.biaffine",
    "ParserTest": "results.parsing",
    "ParserTraining": "compression.training",
    "Parses": "results.parsing",
    "ParsingCorpus": "compression.corpus",
    "Plane": "results.information_plane",
    "ReadoutNetwork": "attribution.readout",
    "ReadoutTraining": "attribution.readout_training",
    "RequestError": "errors",
    "Retention": "results.retention",
    "Sentence": "types",
    "SentenceDiagnosis": "results.diagnosis",
    "Seq2SeqModel": "models.seq2seq",
    "Sigma": "attribution.sigma",
    "TagSettings": "compression.kinds",
    "TransformerPlane": "results.transformer_plane",
    "TransformerPlaneStudy": "studies.planes.transformer",
    "Tree": "types",
    "attribute": "studies.attribution",
    "attribution_method": "attribution.by_name",
    "compress": "studies.parsing.compress",
    "diagnose": "studies.under_translation.diagnose",
    "embed_treebank": "studies.parsing.treebank_vectors",
    "estimate_layers": "networks.estimators",
    "estimate_reference": "studies.under_translation.calibration",
    "experiment_of": "networks.experiments",
    "gather_states": "studies.planes.layer_states",
    "ib_curve": "studies.planes.curve",
    "ib_curve_of_task": "studies.planes.layers_at_limit",
    "information_plane": "studies.planes.networks",
    "layers_at_limit": "studies.planes.layers_at_limit",
    "load_embedder": "models.loading",
    "load_encoder_model": "models.loading",
    "load_model": "models.loading",
    "load_parser": "compression.saved",
    "load_run": "runs.loading",
    "load_translation_model": "models.loading",
    "maximum_spanning_trees": "parsing.decoding",
    "nearest_words": "studies.parsing.specialization",
    "own_answers": "attribution.answers",
    "parse": "studies.parsing.parse",
    "plane": "studies.planes.plane",
    "probe_pos": "studies.parsing.specialization",
    "progress_bar": "progress",
    "read_conllu": "data.conllu",
    "read_images": "data.images",
    "read_labelled": "data.classification",
    "read_lines": "data.text",
    "read_sources": "studies.planes.layer_states",
    "readable_sentences": "readability",
    "render": "runs.loading",
    "retain": "studies.retention.retain",
    "run_deep_vib": "studies.deep_vib",
    "sample_sentences": "studies.parsing.treebanks",
    "sampled_tags": "studies.parsing.specialization",
    "statistics_for": "attribution.statistics_measurement",
    "tag_table": "studies.parsing.specialization",
    "train_parser_epoch": "compression.training",
    "train_readout": "attribution.readout_training",
    "tsne": "studies.parsing.specialization",
    "word_tokenizer": "models.vocabulary",
    "write_approach_figure": "reports.png.information_plane",
    "write_planes_figure": "reports.png.plane",
    "write_tag_pictures": "reports.png.parsing",
    "write_training_figure": "reports.png.transformer_plane",
}
_MODULES = ("benchmark", "info")
__all__ = [
    "Attribution",
    "Attributions",
    "BatchedNetworks",
    "Bottleneck",
    "CompressionObjective",
    "CompressionStudy",
    "CompressionSweep",
    "ContributionMethod",
    "DeepVIB",
    "DeepVIBSettings",
    "Diagnosis",
    "EncoderModel",
    "Experiment",
    "HuggingFaceClassifier",
    "IBCurve",
    "LayerStates",
    "ModuleClassifier",
    "NetworkSnapshot",
    "ParserSettings",
    "ParserTest",
    "ParserTraining",
    "Parses",
    "ParsingCorpus",
    "Plane",
    "ReadoutNetwork",
    "ReadoutTraining",
    "RequestError",
    "Retention",
    "Sentence",
    "SentenceDiagnosis",
    "Seq2SeqModel",
    "Sigma",
    "TagSettings",
    "TransformerPlane",
    "TransformerPlaneStudy",
    "Tree",
    "attribute",
    "attribution_method",
    "benchmark",
    "compress",
    "diagnose",
    "embed_treebank",
    "estimate_layers",
    "estimate_reference",
    "experiment_of",
    "gather_states",
    "ib_curve",
    "ib_curve_of_task",
    "info",
    "information_plane",
    "layers_at_limit",
    "load_embedder",
    "load_encoder_model",
    "load_model",
    "load_parser",
    "load_run",
    "load_translation_model",
    "maximum_spanning_trees",
    "nearest_words",
    "own_answers",
    "parse",
    "plane",
    "probe_pos",
    "progress_bar",
    "read_conllu",
    "read_images",
    "read_labelled",
    "read_lines",
    "read_sources",
    "readable_sentences",
    "render",
    "retain",
    "run_deep_vib",
    "sample_sentences",
    "sampled_tags",
    "statistics_for",
    "tag_table",
    "train_parser_epoch",
    "train_readout",
    "tsne",
    "word_tokenizer",
    "write_approach_figure",
    "write_planes_figure",
    "write_tag_pictures",
    "write_training_figure",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"nmt_ib.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'nmt_ib' has no attribute {name!r}")
    return getattr(import_module(f"nmt_ib.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
