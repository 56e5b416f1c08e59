"""Where a model's reference is kept: shipped with the package, or in the user's cache once it has been estimated."""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from importlib import resources
from itertools import islice
from pathlib import Path

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.files import write_json
from nmt_ib.protocols import TranslationModel
from nmt_ib.signature import fingerprint_lines
from nmt_ib.studies.under_translation.calibration import MIN_SENTENCES, Reference, estimate_reference

SHIPPED = "references"
DEFAULT = "0ae88519e480d07b"  # builtin:en-pt
MAX_SENTENCES = 300
ENOUGH_TO_KEEP = 200  # lines: what fewer tell serves the run that gave them, and no other


def reference_for(
    model: TranslationModel,
    method: ContributionMethod,
    lines: Iterable[str],
    batch_size: int = 32,
    advance: Callable[[int], object] = lambda _: None,
) -> Reference:
    """The model's reference: shipped, kept from an earlier run, or estimated now and kept.

    Args:
        model: The model.
        method: How contributions are measured.
        lines: Sentences to estimate it on, if need be; the first `MAX_SENTENCES` are enough.
        batch_size: Changes no result.
        advance: Called with the number of sentences just done.

    Returns:
        The reference. Where there are too few sentences: that of `builtin:en-pt`, and its `text` says so.
    """
    shipped = (
        resources.files("nmt_ib.studies.under_translation") / SHIPPED / f"{model.fingerprint}-{method.operator}.json"
    )
    if shipped.is_file():
        return Reference.from_dict(json.loads(shipped.read_text(encoding="utf-8")))
    made_with = sha256(repr((method, model.words_by)).encode()).hexdigest()[:8]
    kept = cache_folder() / f"{model.fingerprint}-{method.operator}-{made_with}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):  # none yet, or of another version: estimate again
        return Reference.from_dict(json.loads(kept.read_text(encoding="utf-8")))
    first = list(islice(lines, MAX_SENTENCES))
    text = f"the first corpus, {fingerprint_lines(first)}"
    found = estimate_reference(model, method, first, text=text, batch_size=batch_size, advance=advance)
    if found is None:
        return _default(method.operator)
    if len(first) >= ENOUGH_TO_KEEP:
        with suppress(OSError):  # a folder that cannot be written to: the next run estimates again
            keep_reference(found, kept)
    return found


def _default(operator: str) -> Reference:
    file = resources.files("nmt_ib.studies.under_translation") / SHIPPED / f"{DEFAULT}-{operator}.json"
    reference = Reference.from_dict(json.loads(file.read_text(encoding="utf-8")))
    return replace(reference, text=f"another model's, builtin:en-pt: fewer than {MIN_SENTENCES} sentences were given")


def cache_folder() -> Path:
    """Where estimated references are kept: `$XDG_CACHE_HOME/nmt_ib/references`, or the same below `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "nmt_ib", "references")


def keep_reference(reference: Reference, path: Path) -> None:
    """Writes a reference, whole or not at all.

    Args:
        reference: What to write.
        path: Where it goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, reference.to_dict())
