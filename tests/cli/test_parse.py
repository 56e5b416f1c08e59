"""`nmt-ib parse` and `benchmark parsing` as a user types them, with a parser that `compress` has just trained."""

import json
import re

import numpy as np
import pytest

from nmt_ib.data.conllu import format_tree, read_conllu, write_conllu
from nmt_ib.parsing.metrics import ParsingScores, score_tree
from tests.cli.parsing_commands import refused
from tests.tiny_treebank import conllu, write_treebank


def test_what_a_benchmark_says(compress, run):
    compress()
    status, printed, errors = run("benchmark", "parsing", "model", "train.conllu", "--json")
    assert (status, errors) == (0, "")
    found = json.loads(printed)
    assert {"uas", "las", "clas", "bits_per_token", "words", "sentences_per_second"} <= set(found)
    assert (found["words"], found["sentences"]) == (51, 13)
    small = json.loads(run("benchmark", "parsing", "model", "train.conllu", "--json", "--batch-size", 1)[1])
    assert found["signature"] == small["signature"]
    scores = ("uas", "las", "clas", "bits_per_token")
    assert [found[name] for name in scores] == pytest.approx([small[name] for name in scores])
    status, printed, errors = run("benchmark", "parsing", "model", "train.conllu")
    assert (status, errors) == (0, "")
    assert f"LAS {found['las']:.2%}" in printed
    assert "51 words in 13 sentences" in printed


def test_a_parsed_treebank_scores_what_the_benchmark_says(compress, run, treebanks):
    compress()
    status, printed, errors = run("parse", "train.conllu", "--model", "model")
    assert (status, errors) == (0, "")
    (treebanks / "parsed.conllu").write_text(printed, encoding="utf-8")
    gold, predicted = list(read_conllu("train.conllu")), list(read_conllu("parsed.conllu"))
    assert [tree.forms for tree in predicted] == [tree.forms for tree in gold]
    assert "\n6-7\t" not in printed
    assert re.search(r"\n2-3\tdidn't\t", printed)  # the multi-word token is kept
    pairs = zip(gold, predicted, strict=True)
    scores = sum((score_tree(tree, other.heads, other.relations) for tree, other in pairs), ParsingScores())
    found = json.loads(run("benchmark", "parsing", "model", "train.conllu", "--json")[1])
    assert (found["uas"], found["las"], found["clas"]) == (scores.uas, scores.las, scores.clas)
    official = pytest.importorskip("udtools.udeval", reason="needs udtools, the extra `eval`")
    gold, predicted = (trees[:2] + trees[3:] for trees in (gold, predicted))  # the official scorer wants words
    for name, trees in (("gold", gold), ("parsed", predicted)):
        write_conllu(treebanks / name, trees)
    with open("gold", encoding="utf-8") as one, open("parsed", encoding="utf-8") as other:
        truth = official.evaluate(official.load_conllu(one, "gold", {}), official.load_conllu(other, "parsed", {}))
    assert (found["uas"], found["las"], found["clas"]) == (truth["UAS"].f1, truth["LAS"].f1, truth["CLAS"].f1)


def test_text_is_parsed_line_by_line(compress, run, treebanks):
    compress()
    (treebanks / "text.en").write_text("The old door is red.\n\nno\n", encoding="utf-8")
    status, printed, errors = run("parse", "text.en", "--model", "model")
    assert (status, errors) == (0, "")
    (treebanks / "parsed.conllu").write_text(printed, encoding="utf-8")
    found = list(read_conllu("parsed.conllu"))
    assert [tree.forms for tree in found] == [("The", "old", "door", "is", "red", "."), (), ("no",)]
    assert [tree.text for tree in found] == ["The old door is red.", "", "no"]
    status, printed, errors = run("parse", "text.en", "--model", "model", "--json")
    assert (status, errors) == (0, "")
    for sentence, tree in zip(json.loads(printed)["sentences"], found, strict=True):
        assert sentence == {
            "text": tree.text,
            "words": list(tree.forms),
            "heads": [head + 1 for head in tree.heads],
            "relations": list(tree.relations),
            "conllu": format_tree(tree),
        }


def test_control_characters_are_removed_on_a_terminal_only(compress, run, treebanks, monkeypatch):
    compress()
    (treebanks / "text.en").write_text("\x1b[31mred \x9b31m house\n", encoding="utf-8")
    for form in ((), ("--json",)):
        command = ("parse", "text.en", "--model", "model", *form)
        piped = run(*command)[1]
        assert "\x9b" in piped
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout.isatty", lambda: True)
            status, printed, errors = run(*command)
        assert (status, errors) == (0, "")
        assert printed == piped.replace("\x1b", "\ufffd").replace("\x9b", "\ufffd")


def test_relations_that_training_has_not(compress, run, treebanks):
    compress()
    write_treebank(treebanks / "strange.conllu", ("She:XYZ:2:strange:er sells:VERB:0:root", "", "no:INTJ:0:root"))
    status, printed, errors = run("benchmark", "parsing", "model", "strange.conllu", "--json")
    assert (status, errors) == (0, "")
    found = json.loads(printed)
    assert found["words"] == 3
    assert found["las"] <= 2 / 3
    assert run("parse", "strange.conllu", "--model", "model")[0] == 0


def test_a_parser_of_all_layers_and_word_types_parses(compress, run):
    (point,) = compress("--gamma", 0.5, "--layer", "mix")["points"]
    status, printed, errors = run("benchmark", "parsing", "model", "dev.conllu", "--json")
    assert (status, errors) == (0, "")
    assert json.loads(printed)["las"] == point["las"]
    assert json.loads(printed)["bits_per_token"] == pytest.approx(point["bits_per_token"])
    status, printed, errors = run("parse", "dev.conllu", "--model", "model")
    assert (status, errors) == (0, "")
    assert printed.count("# sent_id") == 5
    np.savez("words.npz", vectors=np.ones((16, 8), np.float32), lengths=[4, 7, 0, 4, 1])
    errors = refused(run("parse", "dev.conllu", "--model", "model", "--vectors", "words.npz"))
    assert "reads a mix of 4 layers" in errors


def test_vectors_that_a_user_brings(compress, run, treebanks, tiny_encoder):
    from nmt_ib.models.embedders import TransformerEmbedder

    compress()
    (treebanks / "text").write_text("The red house\n\nno dog\n", encoding="utf-8")
    sentences = [line.split() for line in ("The red house", "", "no dog")]
    vectors = TransformerEmbedder(tiny_encoder("bert")).vectors(sentences, [2])
    rows = np.concatenate([each[0].numpy() for each in vectors])
    np.savez("words.npz", vectors=rows, lengths=[3, 0, 2])
    status, printed, errors = run("parse", "text", "--model", "model", "--vectors", "words.npz")
    assert (status, errors) == (0, "")
    assert printed == run("parse", "text", "--model", "model")[1]
    np.savez("short.npz", vectors=rows[:-1], lengths=[3, 0, 1])
    assert "short.npz: 1 vectors for sentence 3, which has 2 words" in refused(
        run("parse", "text", "--model", "model", "--vectors", "short.npz")
    )
    np.savez("narrow.npz", vectors=rows[:, :3], lengths=[3, 0, 2])
    assert "vectors of 3 dimensions, but the parser reads" in refused(
        run("parse", "text", "--model", "model", "--vectors", "narrow.npz")
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["parse", "dev.conllu", "--model", "nowhere"], "nowhere holds no finished parser"),
        (["parse", "nowhere", "--model", "model"], "there is no file nowhere"),
        (["parse", "dev.conllu", "--model", "model", "--vectors", "nowhere.npz"], "cannot read nowhere.npz"),
        (["parse", "dev.conllu", "--model", "dev.conllu"], "dev.conllu is a file: expected the --out directory"),
        (["benchmark", "parsing", "nowhere", "dev.conllu"], "nowhere holds no finished parser"),
        (["benchmark", "parsing", "model", "nowhere.conllu"], "there is no file nowhere.conllu"),
        (["benchmark", "parsing", "model", "broken.conllu"], "broken.conllu, line 3: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_to_a_parser_is_one_line(compress, run, treebanks, arguments, message):
    if "model" in arguments:
        compress()
    (treebanks / "broken.conllu").write_text(conllu().replace("\t4\tnsubj", "\t9\tnsubj", 1))
    assert message in refused(run(*arguments))


def test_an_encoder_that_is_gone_or_changed(compress, run, treebanks):
    compress()
    config = json.loads((treebanks / "model" / "config.json").read_text())
    for changes, message in (
        ({"embedder": "./gone"}, "there is no directory ./gone"),
        ({"pooling": "mean"}, "is not the embedder that the parser was trained with"),
    ):
        (treebanks / "model" / "config.json").write_text(json.dumps(config | changes))
        assert message in refused(run("parse", "dev.conllu", "--model", "model"))
