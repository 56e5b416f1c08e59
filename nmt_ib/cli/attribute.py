"""`nmt-ib attribute`: what each word of a sentence is worth to a model, by any method."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.box import HORIZONTALS
from rich.table import Table
from rich.text import Text

from nmt_ib.catalog import ATTRIBUTIONS
from nmt_ib.cli.terminal import (
    BatchSize,
    Device,
    Json,
    Prefix,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    out,
    print_json,
    printable,
    set_threads,
)
from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from nmt_ib.results.attribution import Attribution

MAX_COLUMNS = 12  # target tokens that stand beside each other in a terminal
EXAMPLE = """\b
Example:
  $ nmt-ib attribute "The old bridge was closed." --method bottleneck
  A antiga ponte foi fechada.
  bottleneck, layer 0, bits
   ───────────────────────────────────────────────────────
            ▁A  ▁antiga  ▁ponte  ▁foi  ▁fechada    .  </s>
   ───────────────────────────────────────────────────────
    The     55        5       3    20         1    7     1
    old      8      551      81     1         1    1     1
    bridge   5       71     708     3         2    1     1
    was      1        1       1   310         6    0     3
    closed   0        0       2    25       377    1     1
    .        5        0       1     1         6  237     2
   ───────────────────────────────────────────────────────
  588 network passes, not converged: increase --steps
"""


OneSentence = Annotated[str, typer.Argument(help="One sentence.")]
Model = Annotated[str, typer.Option(help="builtin:en-pt, builtin:minilm, a Hugging Face name, or a directory.")]
Method = Annotated[
    str,
    typer.Option(
        help=f"{', '.join(ATTRIBUTIONS)}; attention@2: at layer 2.", autocompletion=lambda: list(ATTRIBUTIONS)
    ),
]
Layer = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Layer to measure. sigma: from 1 (default 1). attention, alti: from 1 (default the last), of the decoder "
        "in a translation model. bottleneck, gradients: of the encoder (default 0, the embeddings). The others have "
        "none.",
    ),
]
Part = Annotated[
    Literal["encoder", "decoder", "pooled", "logits"] | None, typer.Option(help="For sigma: part of the model.")
]
PerToken = Annotated[
    bool | None, typer.Option("--per-token/--whole", help="For sigma and bottleneck: each target token separately.")
]
Rate = Annotated[float | None, typer.Option(help="For sigma: weight of the noise's entropy.")]
Scaling = Annotated[
    Literal["code", "paper"] | None, typer.Option(help="For sigma: loss as in the authors' code or as in their paper.")
]
Regularization = Annotated[
    Literal["corpus", "state"] | None, typer.Option(help="For sigma: what the change of a state is divided by.")
]
IncludeSpecial = Annotated[
    bool | None, typer.Option("--include-special", help="For sigma: noise on special pieces, too.")
]
Beta = Annotated[float | None, typer.Option(help="For bottleneck: weight of the information term.")]
Steps = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="For sigma and bottleneck: search steps (default 8 and 20); for integrated_gradients: points of the "
        "integral (default 50).",
    ),
]
Network = Annotated[
    Path | None, typer.Option(help="For readout: directory of a network trained by recipes/train_readout.py.")
]
Answer = Annotated[str | None, typer.Option(help="Translation or label to explain; by default the model's own.")]
Corpus = Annotated[str | None, typer.Option(help="Sentences whose embeddings are the prior of the noise.")]


def attribute(
    text: OneSentence,
    model: Model = "builtin:en-pt",
    method: Method = "sigma",
    layer: Layer = None,
    part: Part = None,
    per_token: PerToken = None,
    rate: Rate = None,
    scaling: Scaling = None,
    regularization: Regularization = None,
    include_special: IncludeSpecial = None,
    beta: Beta = None,
    steps: Steps = None,
    network: Network = None,
    target: Answer = None,
    corpus: Corpus = None,
    source_language: SourceLanguage = None,
    target_language: TargetLanguage = None,
    prefix: Prefix = None,
    seed: Seed = 0,
    device: Device = "cpu",
    batch_size: BatchSize = 32,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Measures what each word of a sentence is worth to a model, and in a translation to each target token."""
    from nmt_ib.studies.attribution import attribute as study

    set_threads(threads)
    given: dict[str, Any] = {
        "layer": layer, "part": part, "per_token": per_token, "rate": rate, "scaling": scaling,
        "regularization": regularization, "include_special": include_special, "beta": beta, "steps": steps,
        "network": network,
    }  # fmt: skip
    found = study(
        model,
        [text],
        None if target is None else [target],
        method=method,
        corpus=corpus,
        source_language=source_language,
        target_language=target_language,
        prefix=prefix,
        seed=seed,
        batch_size=batch_size,
        device=device,
        progress=True,
        **{name: value for name, value in given.items() if value is not None},
    )[0]
    if found.skipped is not None:
        raise RequestError(f"cannot explain {text[:40]!r}: {found.skipped}")
    if as_json:
        print_json(found)
    else:
        show(found)


def show(found: "Attribution") -> None:
    """Prints a matrix of words and target tokens, or a bar for each word.

    Args:
        found: What a method found.
    """
    head = found.heading
    if found.target:
        out.print(printable(found.target), style="dim", soft_wrap=True)
    if found.matrix is None:
        out.print(_bars(found, head))
    else:
        for start in range(0, len(found.target_tokens), MAX_COLUMNS):
            out.print(_matrix(found, head, start))
    state = "" if found.converged is None else ", converged" if found.converged else ", not converged: increase --steps"
    passes = f"{found.passes:,} network pass{'' if found.passes == 1 else 'es'}"
    out.print(passes + state, soft_wrap=True)


def _matrix(found: "Attribution", title: str, start: int) -> Table:
    table = Table(box=HORIZONTALS, title=title, title_justify="left", padding=(0, 0, 0, 1))
    table.add_column("")
    stop = start + MAX_COLUMNS
    for token in found.target_tokens[start:stop]:
        table.add_column(printable(token), justify="right")
    rows = found.matrix or ()
    highest = max((abs(cell) for row in rows for cell in row), default=0.0)
    for word, row in zip(found.words, rows, strict=True):
        table.add_row(printable(word), *(_cell(cell, highest) for cell in row[start:stop]))
    return table


def _cell(value: float, highest: float) -> Text:
    digits = 0 if highest >= 100 else 1 if highest >= 10 else 2
    share = abs(value) / highest if highest else 0.0
    return Text(
        f"{round(value, digits) + 0.0:.{digits}f}", style="bold" if share > 0.5 else "dim" if share < 0.05 else ""
    )


def _bars(found: "Attribution", title: str) -> Table:
    table = Table(box=HORIZONTALS, title=title, title_justify="left")
    sigmas = found.sigma is not None
    for name in ("", *(("sigma",) if sigmas else ()), found.unit or "worth", ""):
        table.add_column(name, justify="right" if name else "left")
    highest = max((abs(score) for score in found.scores), default=0.0) or 1.0
    for place, (token, score) in enumerate(zip(found.tokens, found.scores, strict=True)):
        sigma = (f"{found.sigma[place]:.3f}",) if found.sigma is not None else ()
        bar = "█" * round(24 * max(0.0, score) / highest)
        table.add_row(Text(printable(token), style="dim" if found.special[place] else ""), *sigma, f"{score:.4g}", bar)
    return table
