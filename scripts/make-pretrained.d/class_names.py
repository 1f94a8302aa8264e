"""The thousand ImageNet classes in words: the first WordNet lemma of each synset, made unique."""

import hashlib
from importlib import metadata

PACKAGE = "timm"
SYNSETS = ("timm/data/_info/imagenet_synsets.txt", "70002b0ff5de60a3a17a82dbfcff291931f96225ddf941ad2e182fc39e183d15")
LEMMAS = ("timm/data/_info/imagenet_synset_to_lemma.txt", "1b8babda187421a4bde0c9c5a197c36f6bdda962f7ca11ffb2813806cbb2178f")

# Two words stand for two classes each.
UNIQUE = {
    "n02012849": "crane (bird)",
    "n03126707": "crane (machine)",
    "n03710637": "maillot (tights)",
    "n03710721": "maillot (swimsuit)",
}


def lines(file):
    name, digest = file
    data = metadata.distribution(PACKAGE).locate_file(name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest, f"{name} of {PACKAGE} is not the file that was pinned"
    return data.decode("utf-8").splitlines()


def class_names():
    """One name a class, in the order of the classes."""
    lemmas = dict(line.split("\t") for line in lines(LEMMAS))
    names = [UNIQUE.get(synset) or lemmas[synset].split(", ")[0] for synset in lines(SYNSETS)]
    assert len(names) == 1000 == len(set(names))
    return names
