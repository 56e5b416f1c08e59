"""`nmt-ib attribute` as a user types it, and `attribute` behind it, on tiny models in directories."""

import json

import pytest

import nmt_ib
from nmt_ib.attribution.by_name import attribution_method
from nmt_ib.catalog import ATTRIBUTIONS
from nmt_ib.cli.main import main
from nmt_ib.errors import RequestError
from nmt_ib.results.attribution import Attribution

TEXT = "The old house is red."
UNTRAINED = "readout"  # needs the network that a recipe trains
TRANSLATORS_ONLY = ("sigma_decoder", "contribution")


@pytest.fixture
def attribute(capsys, saved):
    def run(*arguments, model="marian"):
        chosen = ("--model", saved(model)) if model else ()
        capsys.readouterr()  # transformers' own words when a model was saved
        with pytest.raises(SystemExit) as exit_:
            main([str(each) for each in ("attribute", *arguments, *chosen)])
        captured = capsys.readouterr()
        return exit_.value.code, captured.out, captured.err

    return run


@pytest.mark.parametrize("method", sorted(ATTRIBUTIONS.keys() - {UNTRAINED}))
@pytest.mark.parametrize("model", ["marian", "bert-classifier"])
def test_every_method_gives_one_document(attribute, model, method):
    if model == "bert-classifier" and method in TRANSLATORS_ONLY:
        status, printed, errors = attribute(TEXT, "--method", method, "--json", model=model)
        assert (status, printed, errors.count("\n")) == (2, "", 1)
        return
    status, printed, errors = attribute(TEXT, "--method", method, "--json", model=model)
    assert (status, errors) == (0, "")
    found = Attribution.from_dict(json.loads(printed))
    assert found.text == TEXT
    assert found.words == ("The", "old", "house", "is", "red", ".")
    assert len(found.scores) == len(found.tokens)


def test_a_target_and_a_matrix(attribute):
    status, printed, errors = attribute(TEXT, "--method", "occlusion", "--target", "A casa.", "--json")
    found = Attribution.from_dict(json.loads(printed))
    assert (status, errors, found.target) == (0, "", "A casa.")
    assert len(found.matrix) == 6
    status, printed, errors = attribute(TEXT, "--method", "occlusion", "--target", "A casa.")
    assert (status, errors) == (0, "")
    for shown in ("house", "A casa.", "network passes"):
        assert shown in printed


def test_bars_show_sigma_and_bits(attribute):
    status, printed, errors = attribute(TEXT, "--layer", 2, model="bert-classifier")
    assert (status, errors) == (0, "")
    for shown in ("sigma, layer 2, bits", "[CLS]", "##", "█", "137 network passes, converged"):
        assert shown in printed


def test_settings_arrive(attribute):
    low, high = (
        json.loads(attribute(TEXT, "--layer", 3, "--rate", rate, "--json", model="bert-classifier")[1])
        for rate in (0.01, 1)
    )
    assert low["layer"] == 3
    assert sum(low["bits"]) > sum(high["bits"])
    whole = json.loads(attribute(TEXT, "--include-special", "--json", model="bert-classifier")[1])
    assert whole["sigma"][0] > 0 == low["sigma"][0]
    paper = attribute(TEXT, "--scaling", "paper", "--regularization", "state", "--json", model="bert-classifier")
    assert json.loads(paper[1])["sigma"] != low["sigma"]
    pooled = json.loads(attribute(TEXT, "--part", "pooled", "--json", model="bert-classifier")[1])
    assert pooled["sigma"] != low["sigma"]
    alone = json.loads(attribute("no", "--part", "decoder", "--per-token", "--target", "Um", "--json")[1])
    assert len(alone["matrix"][0]) == len(alone["target_tokens"])
    at = json.loads(attribute(TEXT, "--method", "attention@2", "--json", model="bert-classifier")[1])
    assert at["layer"] == 2


def test_more_steps_bring_a_search_to_rest(attribute):
    _, hurried, _ = attribute(TEXT, "--steps", 0, model="bert-classifier")
    assert "9 network passes, not converged: increase --steps" in hurried
    _, rested, _ = attribute(TEXT, "--steps", 8, model="bert-classifier")
    assert "137 network passes, converged" in rested
    long = json.loads(
        attribute("no", "--method", "bottleneck", "--steps", 30, "--target", "Um", "--whole", "--json")[1]
    )
    assert long["passes"] == 2 + 2 * (2 * 30 + 1)


@pytest.mark.parametrize(
    ("method", "heading"),
    [("attention", "attention, decoder layer 2"), ("alti_block", "alti_block, decoder layer 2")],
)
def test_what_looks_at_the_decoder_says_so(attribute, method, heading):
    status, printed, errors = attribute(TEXT, "--method", method, "--target", "A casa.")
    assert (status, errors) == (0, "")
    assert heading in printed


def test_a_label_by_name(attribute):
    found = json.loads(
        attribute(TEXT, "--method", "gradient", "--target", "neutral", "--json", model="bert-classifier")[1]
    )
    assert found["target"] == "neutral"


def test_a_corpus_is_the_prior(attribute, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.write_text("The house.\nA dog sleeps near the door.\n", encoding="utf-8")
    status, printed, _ = attribute(TEXT, "--corpus", corpus, "--json", model="bert-classifier")
    _, own, _ = attribute(TEXT, "--json", model="bert-classifier")
    assert status == 0
    assert json.loads(printed)["sigma"] != json.loads(own)["sigma"]


def test_a_seed_decides_and_batch_size_does_not(attribute):
    first, again, other, small = (
        json.loads(attribute(TEXT, "--json", *more, model="bert-classifier")[1])["sigma"]
        for more in ((), (), ("--seed", 1), ("--batch-size", 1))
    )
    assert first == again != other
    assert small == pytest.approx(first, rel=1e-3)


def test_hostile_text_is_printed_as_text(attribute):
    text = "\x1b[31mred [bold]house[/bold]"
    status, printed, errors = attribute(text, "--method", "occlusion", "--target", f"A {text} casa.")
    assert (status, errors) == (0, "")
    assert "\x1b[31m" not in printed
    assert "A \ufffd[31mred [bold]house[/bold] casa." in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([TEXT, "--method", "magic"], "unknown method 'magic'; known: sigma, "),
        ([TEXT, "--method", "attention@x"], "expected the number of a layer after @"),
        ([TEXT, "--method", "attention", "--layer", "9"], "not 9"),
        ([TEXT, "--layer", "9"], "encoder layers 1 to 3, not 9"),
        ([TEXT, "--layer", "0"], "encoder layers 1 to 3, not 0"),
        ([TEXT, "--part", "head"], "'head' is not one of 'encoder'"),
        ([TEXT, "--part", "decoder"], "has no decoder"),
        ([TEXT, "--part", "logits", "--per-token"], "not a translation model"),
        ([TEXT, "--rate", "0"], "a number above 0"),
        ([TEXT, "--method", "gradient", "--rate", "1"], "gradient has no setting 'rate'"),
        ([TEXT, "--method", "readout"], "readout needs the setting 'network': a network that recipes/train_readout.py"),
        ([TEXT, "--method", "occlusion", "--layer", "4"], "occlusion has no setting 'layer': leave it out"),
        ([TEXT, "--method", "attention@2", "--layer", "1"], "'attention@2' and layer=1 both name a layer"),
        ([TEXT, "--method", "readout", "--network", "nowhere"], "nowhere holds no readout network"),
        ([TEXT, "--method", "occlusion", "--target", "good"], "negative, neutral, positive"),
        ([""], "empty line"),
        (["\x01"], "no words"),
        (["w " * 200], "the model reads 64"),
        (["\udce9"], "not valid Unicode"),
        ([TEXT, "--corpus", "nowhere"], "there is no file nowhere"),
        ([TEXT, "--model", "./nothing"], "there is no directory ./nothing"),
        ([TEXT, "--device", "toaster"], "cannot use the device 'toaster'"),
        ([], "Missing argument"),
    ],
    ids=lambda value: ascii(" ".join(value))[:60] if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(attribute, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, printed, errors = attribute(*arguments, model=None if "--model" in arguments else "bert-classifier")
    assert (status, printed) == (2, "")
    assert errors.startswith("nmt-ib: ")
    assert errors.count("\n") == 1
    assert message in errors


@pytest.mark.parametrize("target", ["\udce9", "casa " * 600])
def test_a_translation_that_cannot_be_forced_is_one_line(attribute, target):
    status, printed, errors = attribute(TEXT, "--target", target, "--method", "occlusion")
    assert (status, printed) == (2, "")
    assert "translation" in errors
    assert errors.count("\n") == 1


def test_help_is_there(attribute):
    status, printed, _ = attribute("--help", model=None)
    assert status == 0
    assert "Usage: nmt-ib attribute" in printed
    assert "Example:" in printed
    assert all(name in printed for name in ATTRIBUTIONS if name != "random")


def test_in_python(tiny_model, tiny_encoder):
    model = tiny_model("ssru").model
    found = nmt_ib.attribute(model, [TEXT, "no"], method="sigma", layer=2, rate=0.2, seed=1, include_special=True)
    assert [each.text for each in found] == [TEXT, "no"]
    assert all(min(each.sigma) > 0 for each in found)
    assert len(nmt_ib.attribute(model, [])) == 0
    classifier = tiny_encoder("bert-classifier")
    by_name, by_number = (
        nmt_ib.attribute(classifier, [TEXT], [target], method="gradient")[0] for target in ("neutral", 1)
    )
    assert by_name == by_number
    with pytest.raises(RequestError, match="2 sources and 1 targets: expected the same number"):
        nmt_ib.attribute(model, [TEXT, "no"], ["Um"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": 3}, "model is int, expected a name or"),
        ({"sources": "A dog."}, "there is no file A dog."),
        ({"sources": None}, "sources: expected a list of sentences or the name of a text, not NoneType"),
        ({"sources": ["no", 3]}, "sources[1] is int, expected a string"),
        ({"targets": "a"}, "there is no file a"),
        ({"targets": [None]}, "targets[0] is NoneType, expected a translation or a label"),
        ({"targets": [1]}, "targets[0] is int, expected str"),
        ({"corpus": "some text"}, "there is no file some text"),
        ({"corpus": ["no", 3]}, "corpus[1] is int, expected a string"),
        ({"method": None}, "method must be a name such as 'sigma', not None"),
        ({"layer": "4"}, "layer must be a whole number, not '4'"),
        ({"layer": 1.5}, "layer must be a whole number, not 1.5"),
        ({"rate": "x"}, "rate must be a number, not 'x'"),
        ({"rate": None}, "rate must be a number, not None"),
        ({"seed": 0.5}, "seed must be a whole number, not 0.5"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"batch_size": -3}, "batch_size must be at least 1, not -3"),
        ({"batch_size": "8"}, "batch_size must be a whole number, not '8'"),
    ],
    ids=lambda value: ascii(value)[:40] if isinstance(value, dict) else "",
)
def test_a_wrong_type_is_one_line_in_python(tiny_model, given, message):
    with pytest.raises(RequestError) as caught:
        nmt_ib.attribute(**{"model": tiny_model("ssru").model, "sources": ["no"], **given})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_must_be_a_name_or_a_number(tiny_encoder):
    classifier = tiny_encoder("bert-classifier")
    for targets, message in (([None], "expected a translation or a label"), (["maybe"], "has no label 'maybe'")):
        with pytest.raises(RequestError, match=message):
            nmt_ib.attribute(classifier, ["no"], targets, method="gradient")


def test_every_number_among_the_settings_is_checked():
    for method, setting in (("bottleneck", "beta"), ("attention", "layer"), ("integrated_gradients", "steps")):
        with pytest.raises(RequestError, match=f"{setting} must be a .*number, not 'x'"):
            attribution_method(method, **{setting: "x"})
    assert attribution_method("attention", layer=None).layer is None
    assert attribution_method("bottleneck", beta=None).beta is None
    assert attribution_method("bottleneck", beta=5.0).beta == 5


def test_a_bare_encoder_has_states_to_look_at(tiny_encoder):
    (found,) = nmt_ib.attribute(tiny_encoder("bert"), [TEXT], layer=3)
    assert found.target == ""
    assert max(found.bits) > 0


def test_a_name_gives_a_method_with_a_layer_and_a_seed():
    method = attribution_method("sigma@3", seed=5, rate=0.2)
    assert (method.layer, method.seed, method.rate) == (3, 5, 0.2)
    assert attribution_method("input_x_gradient").times_input
