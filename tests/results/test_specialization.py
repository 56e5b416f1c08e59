"""Tables of tags: JSON round trip, data frame and text."""

import json

from nmt_ib.results.specialization import PosProbe, TagTable, TagUse

TABLE = TagTable(
    (
        TagUse(4, 3, 0.75, (("of", 2 / 3), ("in", 1 / 3)), (("ADP", 1.0),)),
        TagUse(1, 1, 0.25, (("não", 1.0),), (("ADV", 1.0),)),
    ),
    0.81, 1.0, 1.0, 1.0,
)  # fmt: skip


def test_json_round_trips():
    assert TagTable.from_dict(json.loads(json.dumps(TABLE.to_dict()))) == TABLE
    probe = PosProbe({"ADP": 0.5, "ADV": 1.0}, 0.6, (("ADP", "ADV", 0.5),))
    assert PosProbe.from_dict(json.loads(json.dumps(probe.to_dict()))) == probe


def test_a_table_is_its_rows():
    assert len(TABLE) == 2
    assert TABLE[1].forms[0][0] == "não"
    assert TABLE.to_tsv().splitlines() == [
        "tag\twords\tshare\tparts of speech\tmost frequent words",
        "4\t3\t75.0%\tADP 100%\tof in",
        "1\t1\t25.0%\tADV 100%\tnão",
    ]
    assert "<table" in TABLE._repr_html_()
