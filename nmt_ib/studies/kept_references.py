"""Where a model's reference is kept: shipped with the package, or in the user's cache once it has been estimated."""

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import resources
from itertools import islice
from pathlib import Path

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.protocols import TranslationModel
from nmt_ib.studies.calibration import Reference, estimate_reference

SHIPPED = "references"
MOST_SENTENCES = 300


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
        lines: Sentences to estimate it on, if need be; the first `MOST_SENTENCES` are enough.
        batch_size: Changes no result.
        advance: Called with the number of sentences just done.

    Returns:
        The reference. Where there are too few sentences: that of the built-in models, which is not kept.
    """
    name = f"{model.fingerprint}-{method.operator}.json"
    shipped = resources.files("nmt_ib.studies") / SHIPPED / name
    kept = cache_folder() / name
    for file in (shipped, kept):
        if file.is_file():
            return Reference.from_dict(json.loads(file.read_text(encoding="utf-8")))
    first = islice(lines, MOST_SENTENCES)
    found = estimate_reference(model, method, first, text="the first corpus", batch_size=batch_size, advance=advance)
    if found is None:
        return _default(method.operator)
    keep_reference(found, kept)
    return found


def _default(operator: str) -> Reference:
    folder = resources.files("nmt_ib.studies") / SHIPPED
    file = next(file for file in sorted(folder.iterdir(), key=str) if file.name.endswith(f"-{operator}.json"))
    return replace(Reference.from_dict(json.loads(file.read_text(encoding="utf-8"))), text="another model's reference")


def cache_folder() -> Path:
    """Where estimated references are kept: `$XDG_CACHE_HOME/nmt_ib/references`, or the same below `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "nmt_ib", "references")


def keep_reference(reference: Reference, path: Path) -> None:
    """Writes a reference, whole or not at all.

    Args:
        reference: What to write.
        path: Where it goes; a folder that cannot be written to is no error, the next run estimates again.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump(reference.to_dict(), file, indent=1)
            file.write("\n")
        os.replace(file.name, path)
    except OSError:
        return
