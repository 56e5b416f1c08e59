"""A tiny treebank, written as form:UPOS:head:relation, and random vectors of its words."""

from dataclasses import replace

import numpy as np

from nmt_ib.compression.corpus import Labels, ParsingCorpus
from nmt_ib.compression.kinds import TagSettings, WordShape
from nmt_ib.compression.saved import ParserConfig
from nmt_ib.data.conllu import read_conllu
from nmt_ib.parsing.biaffine import ParserSettings

SMALL = ParserSettings(hidden=4, arc=4, label=4)
CONTINUOUS = TagSettings("continuous", dim=5)

# A sentence without words, one of a single word, a multi-word token (before its words, behind =) and subtypes.
SENTENCES = (
    "The:DET:2:det house:NOUN:4:nsubj is:AUX:4:cop red:ADJ:0:root",
    "A:DET:3:det small:ADJ:3:amod dog:NOUN:4:nsubj sleeps:VERB:0:root near:ADP:7:case the:DET:7:det door:NOUN:4:obl",
    "",
    "She:PRON:2:nsubj sells:VERB:0:root sea:NOUN:4:compound shells:NOUN:2:obj",
    "no:INTJ:0:root",
    "We:PRON:3:nsubj never:ADV:3:advmod said:VERB:0:root it:PRON:3:obj",
    "We:PRON:4:nsubj didn't=did:AUX:4:aux n't:PART:4:advmod say:VERB:0:root that:PRON:4:obj .:PUNCT:4:punct",
    "The:DET:3:det old:ADJ:3:amod door:NOUN:5:nsubj was:AUX:5:cop green:ADJ:0:root",
    "It:PRON:4:nsubj:pass was:AUX:4:aux:pass never:ADV:4:advmod said:VERB:0:root",
    "She:PRON:2:nsubj sleeps:VERB:0:root by:ADP:5:case the:DET:5:det sea:NOUN:2:obl",
    "The:DET:2:det dog:NOUN:3:nsubj sells:VERB:0:root the:DET:6:det red:ADJ:6:amod house:NOUN:3:obj",
    "It:PRON:3:nsubj is:AUX:3:cop easy:ADJ:0:root",
    "small:ADJ:2:amod shells:NOUN:0:root",
)


def conllu(sentences=SENTENCES):
    """The text of a treebank."""
    return "\n".join(_block(number, sentence) for number, sentence in enumerate(sentences)) + "\n"


def _block(number, sentence):
    lines = [f"# sent_id = tiny-{number}"]
    for place, token in enumerate(sentence.split(), start=1):
        whole, _, word = token.rpartition("=")
        form, upos, head, relation = word.split(":", 3)
        if whole:
            lines.append(f"{place}-{place + 1}\t{whole}" + "\t_" * 8)
        lines.append(f"{place}\t{form}\t_\t{upos}\t_\t_\t{head}\t{relation}\t_\t_")
    return "\n".join(lines) + "\n"


def write_treebank(path, sentences=SENTENCES):
    """Writes a treebank and gives back where it is."""
    path.write_text(conllu(sentences), encoding="utf-8")
    return path


def tiny_corpus(folder, sentences=SENTENCES, *, layers=1, width=6, types=0, labels=None, seed=0):
    """A treebank with random vectors in float64."""
    trees = list(read_conllu(write_treebank(folder / "tiny.conllu", sentences)))
    draw = np.random.default_rng(seed).standard_normal
    words = sum(len(tree) for tree in trees)
    forms = sorted({form for tree in trees for form in tree.forms})
    return ParsingCorpus(
        trees,
        [draw((words, width)) for _ in range(layers)],
        labels or Labels.of(trees),
        draw((len(forms), types)) if types else None,
        np.array([forms.index(form) for tree in trees for form in tree.forms]) if types else None,
    )


def parser_config(corpus, tags=CONTINUOUS, **changes):
    """A small parser of a tiny corpus."""
    shape = WordShape(corpus.layers[0].shape[1], 0 if corpus.types is None else corpus.types.shape[1], 9)
    layers = tuple(range(len(corpus.layers)))
    return replace(ParserConfig("tiny", "first", "0" * 16, layers, shape, corpus.labels, tags, SMALL), **changes)
