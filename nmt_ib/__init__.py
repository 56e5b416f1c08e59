"""Information, in bits, inside translation and language models."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt_ib.attribution.contribution import Contribution, ContributionMethod
    from nmt_ib.errors import RequestError
    from nmt_ib.models.loading import load_encoder_model, load_translation_model
    from nmt_ib.models.seq2seq import Seq2SeqModel
    from nmt_ib.results.attribution import Attribution
    from nmt_ib.results.diagnosis import Diagnosis, SentenceDiagnosis
    from nmt_ib.results.retention import Retention
    from nmt_ib.studies.attribution import attribute
    from nmt_ib.studies.retention.retain import retain
    from nmt_ib.studies.under_translation.diagnose import diagnose

# Public names and where they live: importing nmt_ib loads none of them, so it costs no torch.
_HOMES = {
    "Attribution": "results.attribution",
    "Contribution": "attribution.contribution",
    "ContributionMethod": "attribution.contribution",
    "Diagnosis": "results.diagnosis",
    "RequestError": "errors",
    "Retention": "results.retention",
    "SentenceDiagnosis": "results.diagnosis",
    "Seq2SeqModel": "models.seq2seq",
    "attribute": "studies.attribution",
    "diagnose": "studies.under_translation.diagnose",
    "load_encoder_model": "models.loading",
    "load_translation_model": "models.loading",
    "retain": "studies.retention.retain",
}
__all__ = [
    "Attribution",
    "Contribution",
    "ContributionMethod",
    "Diagnosis",
    "RequestError",
    "Retention",
    "SentenceDiagnosis",
    "Seq2SeqModel",
    "attribute",
    "diagnose",
    "load_encoder_model",
    "load_translation_model",
    "retain",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nmt_ib' has no attribute {name!r}")
    return getattr(import_module(f"nmt_ib.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
