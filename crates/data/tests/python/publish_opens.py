"""Opens published datasets with the libraries that people open them with, offline, and prints what these make of them.

usage: python3 publish_opens.py FOLDER...

Each FOLDER is one that `polyculture dataset publish` writes. `datasets` loads it, which checks the number of rows of each split
against the card, and casts the files to the features of the card; `mlcroissant` checks croissant.json, the digest of each file,
and yields records. Prints one JSON object, by folder.

Python packages go into the virtual environment POLYCULTURE_PUBLISH_VENV (default: .venv-test-publish in the repository), made
when it is not there; nothing outside it is touched.
"""

import fcntl
import hashlib
import itertools
import json
import logging
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = Path(os.environ.get("POLYCULTURE_PUBLISH_VENV", HERE.parents[3] / ".venv-test-publish")).absolute()
IN_VENV = "POLYCULTURE_PUBLISH_IN_VENV"


def main():
    if IN_VENV not in os.environ:
        make_venv()
        python = VENV / "bin" / "python"
        os.execve(python, [python, __file__, *sys.argv[1:]], {**os.environ, IN_VENV: "1"})
    with tempfile.TemporaryDirectory() as cache:
        # Nothing is asked of the network, and nothing of an earlier run.
        os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=cache, CROISSANT_CACHE=cache)
        print(json.dumps({folder: opened(Path(folder)) for folder in sys.argv[1:]}))


def make_venv():
    """Installs what is wanted unless that was done; tests that start at the same time wait for each other."""
    wanted, installed = HERE / "publish_requirements.txt", VENV / "installed-requirements.txt"
    with open(wanted) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed.exists() and installed.read_text() == wanted.read_text():
            return
        venv.create(VENV, with_pip=True, clear=True)
        subprocess.run(
            [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             # The one package that is published as source only; it is plain Python.
             "--only-binary", ":all:", "--no-binary", "jsonpath-rw", "--requirement", wanted],
            check=True, stdout=sys.stderr)
        installed.write_text(wanted.read_text())


def opened(folder):
    return {"datasets": with_datasets(folder), "croissant": with_croissant(folder), "card": card(folder)}


def with_datasets(folder):
    from datasets import load_dataset, load_dataset_builder

    loaded = load_dataset(str(folder))
    streamed = next(iter(load_dataset(str(folder), streaming=True).values()))
    said = load_dataset_builder(str(folder)).info
    return {
        "rows": {name: len(split) for name, split in loaded.items()},
        # What the card promises, and what the files have, must be the same.
        "features_agree": all(split.features == said.features for split in loaded.values()),
        "bytes_said": {name: said.splits[name].num_bytes for name in loaded},
        "bytes_found": {name: split.data.nbytes for name, split in loaded.items()},
        "first": next(iter(loaded.values()))[0],
        "streamed": next(iter(streamed)) == next(iter(loaded.values()))[0],
    }


def with_croissant(folder):
    import mlcroissant

    complaints = []
    handler = logging.Handler()
    handler.emit = lambda record: complaints.append(record.getMessage())
    logging.getLogger("absl").addHandler(handler)
    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    metadata = dataset.metadata
    logging.getLogger("absl").removeHandler(handler)
    complaints += sorted(metadata.ctx.issues.errors | metadata.ctx.issues.warnings)
    records = list(itertools.islice(dataset.records("comparisons"), 3))
    return {
        "complaints": complaints,
        "version": metadata.ctx.conforms_to.value,
        "annotations_per_item": metadata.annotations_per_item,
        "demographics": metadata.annotator_demographics,
        "digests_agree": all(
            hashlib.sha256((folder / file.content_url).read_bytes()).hexdigest() == file.sha256
            for file in metadata.file_objects),
        "records": json.loads(json.dumps(records, default=plain), parse_constant=lambda _: None),
    }


def plain(value):
    return value.decode() if isinstance(value, bytes) else value.item()


def card(folder):
    from huggingface_hub import DatasetCard

    read = DatasetCard.load(folder / "README.md")
    import yaml

    citation = yaml.safe_load((folder / "CITATION.cff").read_text())
    return {"keys": sorted(read.data.to_dict()), "license": read.data.license, "citation": citation}


if __name__ == "__main__":
    main()
