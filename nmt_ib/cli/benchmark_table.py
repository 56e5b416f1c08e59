"""What `nmt-ib benchmark` prints: a block a figure with the best method first, or one JSON document."""

import math
from typing import TYPE_CHECKING

from rich.box import HORIZONTALS
from rich.table import Table

from nmt_ib.cli.terminal import out

if TYPE_CHECKING:
    from nmt_ib.results.benchmark import Benchmark
    from nmt_ib.results.parsing import ParserTest

LOWER_IS_BETTER = ("sufficiency", "error rate")
ATTRIBUTION_EXAMPLE = """\b
Example:
  $ nmt-ib benchmark attribution --data builtin:sample-en --max-sentences 5 --methods gradient,contribution
   ───────────────────────────────────────────────────────────────────────
   figure and method          value     95 % interval   passes   seconds
   ───────────────────────────────────────────────────────────────────────
   degradation (mask)
     gradient                 0.734    [0.689, 0.766]       28      1.31
     contribution             0.725    [0.680, 0.767]       22      0.86
     random                   0.153   [-0.044, 0.366]        0      0.00
   ───────────────────────────────────────────────────────────────────────
   comprehensiveness (mask)
     contribution             0.768    [0.665, 0.872]       22      0.86
     gradient                 0.756    [0.621, 0.871]       28      1.31
     random                   0.543    [0.432, 0.688]        0      0.00
   ───────────────────────────────────────────────────────────────────────
   sufficiency (mask)
     gradient                 0.137    [0.124, 0.150]       28      1.31
     contribution             0.157    [0.123, 0.206]       22      0.86
     random                   0.414    [0.295, 0.539]        0      0.00
   ───────────────────────────────────────────────────────────────────────
  5 sentences, 15 answers; the best comes first
"""
ALIGNMENT_EXAMPLE = """\b
Example:
  $ echo "the house is red ." > pairs.en
  $ echo "a casa é vermelha ." > pairs.pt
  $ echo "0-0 1-1 2-2 3-3 4-4" > pairs.links
  $ nmt-ib benchmark alignment --source pairs.en --target pairs.pt --links pairs.links --methods contribution
   ────────────────────────────────────────────────────────────────
   figure and method     value   95 % interval   passes   seconds
   ────────────────────────────────────────────────────────────────
   error rate (output)
     contribution        0.000               -        7      0.24
     random              0.500               -        0      0.00
   ────────────────────────────────────────────────────────────────
   precision (output)
     contribution        1.000               -        7      0.24
     random              0.667               -        0      0.00
   ────────────────────────────────────────────────────────────────
   recall (output)
     contribution        1.000               -        7      0.24
     random              0.400               -        0      0.00
   ────────────────────────────────────────────────────────────────
   error rate (input)
     random              1.000               -        0      0.00
     contribution        1.000               -        7      0.24
   ────────────────────────────────────────────────────────────────
   precision (input)
     random              0.000               -        0      0.00
     contribution        0.000               -        7      0.24
   ────────────────────────────────────────────────────────────────
   recall (input)
     random              0.000               -        0      0.00
     contribution        0.000               -        7      0.24
   ────────────────────────────────────────────────────────────────
  1 sentences, 5 sure manual links, others by intersection; the best comes first
"""
PARSING_EXAMPLE = """\b
Example:
  $ nmt-ib benchmark parsing model/ en_ewt-ud-test.conllu.gz
  UAS 81.86%  LAS 76.46%  CLAS 71.01%  bits a word 54.9
  25,094 words in 2,077 sentences, 623 sentences/s
"""


def show(table: "Benchmark", rule: str = "") -> None:
    """Prints a block a metric with the best method first.

    Args:
        table: The benchmark.
        rule: Where links are read off a matrix: the rule whose links are shown; JSON has all.
    """
    grid = Table(box=HORIZONTALS)
    grid.add_column("figure and method", no_wrap=True)
    for head in ("value", "95 % interval", "passes", "seconds"):
        grid.add_column(head, justify="right", no_wrap=True)
    for metric, setting in table.columns:
        if not setting.endswith(rule):
            continue
        rows = [row for row in table.rows if (row.metric, row.setting) == (metric, setting)]
        sign = 1 if metric in LOWER_IS_BETTER else -1
        rows.sort(key=lambda row: (math.isnan(row.value), sign * row.value))
        grid.add_row(f"{metric} ({setting.removesuffix(f', {rule}')})")
        for row in rows:
            interval = f"[{row.low:z.3f}, {row.high:z.3f}]" if table.sentences > 1 else "-"
            grid.add_row(f"  {row.method}", f"{row.value:z.3f}", interval, f"{row.passes:.0f}", f"{row.seconds:.2f}")
        grid.add_section()
    out.print(grid)
    answers = f"sure manual links, others by {rule}" if rule else "answers"
    out.print(f"{table.sentences} sentences, {table.answers} {answers}; the best comes first", soft_wrap=True)


def show_parsing(scores: "ParserTest") -> None:
    """Prints the scores of a parser.

    Args:
        scores: The scores.
    """
    bits = "-" if scores.bits_per_token is None else f"{scores.bits_per_token:.1f}"
    out.print(f"UAS {scores.uas:.2%}  LAS {scores.las:.2%}  CLAS {scores.clas:.2%}  bits a word {bits}")
    out.print(
        f"{scores.words:,} words in {scores.sentences:,} sentences, {scores.sentences_per_second:,.0f} sentences/s",
        soft_wrap=True,
    )
