"""Where a model's reference comes from: shipped with the package, stored in the user's cache, or estimated."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from importlib import resources
from itertools import islice
from pathlib import Path

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.files import cache_folder, write_json
from nmt_ib.protocols import TranslationModel
from nmt_ib.signature import fingerprint_lines
from nmt_ib.studies.under_translation.calibration import MIN_SENTENCES, Reference, estimate_reference

FOLDER = resources.files("nmt_ib.studies.under_translation") / "references"  # shipped with the package
DEFAULT = "0ae88519e480d07b"  # builtin:en-pt
MAX_SENTENCES = 300
MIN_STORED_LINES = 200  # an estimate from fewer lines serves its own run only


def reference_for(
    model: TranslationModel,
    method: ContributionMethod,
    lines: Iterable[str],
    batch_size: int = 32,
    advance: Callable[[int], object] = lambda _: None,
) -> Reference:
    """The model's reference: shipped, stored by an earlier run, or estimated now and stored.

    Args:
        model: The model.
        method: How contributions are measured.
        lines: Sentences to estimate it on, if need be; the first `MAX_SENTENCES` are read.
        batch_size: Copies of sentences that go through the model at once; does not affect results beyond rounding.
        advance: Called with the number of sentences just done.

    Returns:
        The reference. Where there are too few sentences, that of `builtin:en-pt`; see `Reference.model_fingerprint`.
    """
    shipped = FOLDER / f"{model.fingerprint}-{method.operator}.json"
    if shipped.is_file():
        return Reference.from_json(shipped.read_bytes())
    settings = sha256(repr((method, model.words_by)).encode()).hexdigest()[:8]
    stored = cache_folder("references") / f"{model.fingerprint}-{method.operator}-{settings}.json"
    with suppress(OSError, ValueError):  # none yet, or of another version: estimate again
        return Reference.from_json(stored.read_bytes())
    first = list(islice(lines, MAX_SENTENCES))
    text = f"the first corpus, {fingerprint_lines(first)}"
    estimated = estimate_reference(model, method, first, text=text, batch_size=batch_size, advance=advance)
    if estimated is None:
        return _default(method.operator)
    if len(first) >= MIN_STORED_LINES:
        with suppress(OSError):  # a folder that cannot be written to: the next run estimates again
            store_reference(estimated, stored)
    return estimated


def _default(operator: str) -> Reference:
    reference = Reference.from_json((FOLDER / f"{DEFAULT}-{operator}.json").read_bytes())
    return replace(reference, text=f"{reference.text}, because fewer than {MIN_SENTENCES} sentences were given")


def store_reference(reference: Reference, path: Path) -> None:
    """Writes a reference, whole or not at all.

    Args:
        reference: What to write.
        path: Where it goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, reference.to_dict())
