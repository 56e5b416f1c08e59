"""Information, in bits, inside translation and language models."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt_ib import benchmark, info
    from nmt_ib.attribution.answers import own_answers
    from nmt_ib.attribution.bottleneck import Bottleneck
    from nmt_ib.attribution.by_name import attribution_method
    from nmt_ib.attribution.contribution import ContributionMethod
    from nmt_ib.attribution.noise_search import NoiseSearch
    from nmt_ib.attribution.readout import Readout, ReadoutNetwork
    from nmt_ib.attribution.readout_training import ReadoutTraining, train_readout
    from nmt_ib.attribution.sigma import Sigma
    from nmt_ib.attribution.statistics_measurement import statistics_for
    from nmt_ib.data.classification import read_labelled
    from nmt_ib.data.conllu import read_conllu
    from nmt_ib.data.images import read_images
    from nmt_ib.data.text import read_lines
    from nmt_ib.errors import RequestError
    from nmt_ib.models.classifier import HuggingFaceClassifier
    from nmt_ib.models.loading import load_embedder, load_encoder_model, load_model, load_translation_model
    from nmt_ib.models.modules import ModuleClassifier
    from nmt_ib.models.seq2seq import Seq2SeqModel
    from nmt_ib.models.vocabulary import word_tokenizer
    from nmt_ib.progress import progress_bar
    from nmt_ib.protocols import EncoderModel
    from nmt_ib.readability import readable_sentences
    from nmt_ib.results.attribution import Attribution, Attributions
    from nmt_ib.results.diagnosis import Diagnosis, SentenceDiagnosis
    from nmt_ib.results.information_plane import Plane
    from nmt_ib.results.parsing import CompressionSweep, ParserTest, Parses
    from nmt_ib.results.retention import Retention
    from nmt_ib.results.transformer_plane import TransformerPlane
    from nmt_ib.runs.loading import load_run, render
    from nmt_ib.studies.attribution import attribute
    from nmt_ib.studies.parsing.compress import compress
    from nmt_ib.studies.parsing.parse import parse
    from nmt_ib.studies.planes.curve import ib_curve
    from nmt_ib.studies.planes.plane import plane
    from nmt_ib.studies.retention.retain import retain
    from nmt_ib.studies.under_translation.diagnose import diagnose
    from nmt_ib.types import Sentence, Tree

# Public names and where they live: importing nmt_ib loads none of them, so it does not load torch.
_HOMES = {
    "Attribution": "results.attribution",
    "Attributions": "results.attribution",
    "Bottleneck": "attribution.bottleneck",
    "CompressionSweep": "results.parsing",
    "ContributionMethod": "attribution.contribution",
    "Diagnosis": "results.diagnosis",
    "EncoderModel": "protocols",
    "HuggingFaceClassifier": "models.classifier",
    "ModuleClassifier": "models.modules",
    "NoiseSearch": "attribution.noise_search",
    "ParserTest": "results.parsing",
    "Parses": "results.parsing",
    "Plane": "results.information_plane",
    "Readout": "attribution.readout",
    "ReadoutNetwork": "attribution.readout",
    "ReadoutTraining": "attribution.readout_training",
    "RequestError": "errors",
    "Retention": "results.retention",
    "Sentence": "types",
    "SentenceDiagnosis": "results.diagnosis",
    "Seq2SeqModel": "models.seq2seq",
    "Sigma": "attribution.sigma",
    "TransformerPlane": "results.transformer_plane",
    "Tree": "types",
    "attribute": "studies.attribution",
    "attribution_method": "attribution.by_name",
    "compress": "studies.parsing.compress",
    "diagnose": "studies.under_translation.diagnose",
    "ib_curve": "studies.planes.curve",
    "load_embedder": "models.loading",
    "load_encoder_model": "models.loading",
    "load_model": "models.loading",
    "load_run": "runs.loading",
    "load_translation_model": "models.loading",
    "own_answers": "attribution.answers",
    "parse": "studies.parsing.parse",
    "plane": "studies.planes.plane",
    "progress_bar": "progress",
    "read_conllu": "data.conllu",
    "read_images": "data.images",
    "read_labelled": "data.classification",
    "read_lines": "data.text",
    "readable_sentences": "readability",
    "render": "runs.loading",
    "retain": "studies.retention.retain",
    "statistics_for": "attribution.statistics_measurement",
    "train_readout": "attribution.readout_training",
    "word_tokenizer": "models.vocabulary",
}
_MODULES = ("benchmark", "info")
__all__ = [
    "Attribution",
    "Attributions",
    "Bottleneck",
    "CompressionSweep",
    "ContributionMethod",
    "Diagnosis",
    "EncoderModel",
    "HuggingFaceClassifier",
    "ModuleClassifier",
    "NoiseSearch",
    "ParserTest",
    "Parses",
    "Plane",
    "Readout",
    "ReadoutNetwork",
    "ReadoutTraining",
    "RequestError",
    "Retention",
    "Sentence",
    "SentenceDiagnosis",
    "Seq2SeqModel",
    "Sigma",
    "TransformerPlane",
    "Tree",
    "attribute",
    "attribution_method",
    "benchmark",
    "compress",
    "diagnose",
    "ib_curve",
    "info",
    "load_embedder",
    "load_encoder_model",
    "load_model",
    "load_run",
    "load_translation_model",
    "own_answers",
    "parse",
    "plane",
    "progress_bar",
    "read_conllu",
    "read_images",
    "read_labelled",
    "read_lines",
    "readable_sentences",
    "render",
    "retain",
    "statistics_for",
    "train_readout",
    "word_tokenizer",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"nmt_ib.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'nmt_ib' has no attribute {name!r}")
    return getattr(import_module(f"nmt_ib.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
