"""The table of a benchmark: JSON round trip, data frame, HTML."""

import json
import math

from nmt_ib.results.benchmark import Benchmark, BenchmarkRow


def test_json_data_frame_and_html():
    rows = (
        BenchmarkRow("<a>", "degradation", "mask", 0.5, 0.4, 0.6, 12.0, 0.25),
        BenchmarkRow("b", "degradation", "mask", math.nan, math.nan, math.nan, 1.0, 0.5),
    )
    table = Benchmark(rows, 3, 9, {"seed": 1})
    again = Benchmark.from_dict(json.loads(json.dumps(table.to_dict(), allow_nan=False)))
    assert again[0] == rows[0]
    assert math.isnan(again[1].value)
    assert (again.sentences, again.answers, again.signature) == (3, 9, {"seed": 1})
    frame = table.to_dataframe()
    assert list(frame.columns) == list(BenchmarkRow.__dataclass_fields__)
    assert len(frame) == len(table) == 2
    shown = table._repr_html_()
    assert "&lt;a&gt;" in shown
    assert "0.500 [0.400, 0.600]" in shown
    assert "3 sentences, 9 answers" in shown


def test_methods_and_columns_keep_their_order():
    rows = [BenchmarkRow(method, metric, "mask", 0.5, 0.4, 0.6, 1.0, 0.1) for method in "ba" for metric in ("y", "x")]
    table = Benchmark(tuple(rows), 1, 1)
    assert table.methods == ("b", "a")
    assert table.columns == (("y", "mask"), ("x", "mask"))
    assert table.of("a") == tuple(rows[2:])
    assert table[1:3] == tuple(rows[1:3])
