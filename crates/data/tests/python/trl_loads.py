"""Loads files with the library that they were written for, and prints what it makes of them.

usage: python3 trl_loads.py FOLDER

FOLDER holds files named TARGET.STYLE.jsonl, as `polyculture dataset convert` writes them. Each is loaded with `datasets`, as
TRL, LLaMA-Factory and Axolotl do, at once and in very small pieces (types are inferred from the first piece). Those for TRL
are put through its own functions: what kind of dataset it takes a file for, and the chat template, which refuses wrong
columns. For preference and prompt-completion files of messages each row also has the numbers of tokens that TRL's DPO trainer
would count for prompt and answers, where a byte is a token. Of the others the files beside them are read: what those say of
the columns must be true. Prints one JSON object, by file.

Python packages go into the virtual environment POLYCULTURE_TRL_VENV (default: .venv-test-trl in the repository), made when
it is not there; nothing outside it is touched.
"""

import fcntl
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = Path(os.environ.get("POLYCULTURE_TRL_VENV", HERE.parents[3] / ".venv-test-trl")).absolute()
TEMPLATE = (
    "{% for message in messages %}<{{ message.role }}>{{ message.content }}/{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
COLUMNS = {
    "trl-preference": {"prompt", "chosen", "rejected"},
    "trl-prompt-completion": {"prompt", "completion"},
    "trl-prompt-only": {"prompt"},
    "trl-unpaired": {"prompt", "completion", "label"},
}


def main():
    folder, *in_venv = sys.argv[1:]
    if not in_venv:
        make_venv()
        python = VENV / "bin" / "python"
        os.execv(python, [python, __file__, folder, "in-venv"])
    print(json.dumps({path.name: load(path) for path in sorted(Path(folder).glob("*.jsonl"))}))


def make_venv():
    """Installs what is wanted unless that was done; tests that start at the same time wait for each other."""
    wanted, alone = HERE / "requirements.txt", HERE / "requirements-alone.txt"
    installed = VENV / "installed-requirements.txt"
    both = wanted.read_text() + alone.read_text()
    with open(wanted) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed.exists() and installed.read_text() == both:
            return
        venv.create(VENV, with_pip=True, clear=True)
        pip = [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        for more in (["--requirement", wanted], ["--no-deps", "--requirement", alone]):
            subprocess.run(pip + more, check=True, stdout=sys.stderr)
        installed.write_text(both)


def load(path):
    import datasets

    # The name of the cache is made from the path: without this an older file of the same name is taken for this one.
    options = {"data_files": str(path), "split": "train", "cache_dir": str(path.parent / "cache")}
    whole = datasets.load_dataset("json", **options)
    in_pieces = datasets.load_dataset("json", chunksize=200, **options)
    assert in_pieces.features == whole.features and in_pieces[:] == whole[:], f"{path.name}: types change on the way"

    target, style, _ = path.name.split(".")
    if target.startswith("trl-"):
        return load_trl(path, target, style, whole)
    if target.startswith("llama-factory-"):
        entry = json.loads((path.parent / "dataset_info.json").read_text())[path.name.split(".")[0]]
        assert entry["file_name"] == path.name
        named = list(entry["columns"].values())
    else:
        named = axolotl_columns(path, target)
    missing = set(named) - set(whole.column_names)
    assert not missing, f"{path.name} lacks {missing}"
    return {"n_rows": len(whole), "columns": whole.column_names}


def axolotl_columns(path, target):
    import yaml

    config = yaml.safe_load((path.parent / f"{target}.axolotl.yaml").read_text())
    (dataset,) = config["datasets"]
    assert dataset["path"] == str(path) and dataset["ds_type"] == "json"
    assert config.get("rl") == ("dpo" if target == "axolotl-dpo" else None)
    return [value for key, value in dataset.items() if key.startswith("field_")]


def load_trl(path, target, style, whole):
    from trl.data_utils import is_conversational, maybe_apply_chat_template, unpair_preference_dataset

    columns = COLUMNS.get(target, {"messages"} if style == "conversational" else {"text"})
    assert columns <= set(whole.column_names), f"{path.name} lacks {columns - set(whole.column_names)}"
    conversational = is_conversational({key: whole[0][key] for key in columns})
    assert conversational == (style == "conversational"), f"{path.name} is conversational: {conversational}"

    tokenizer = byte_tokenizer()
    rows = [maybe_apply_chat_template(row, tokenizer) for row in whole]
    found = {"n_rows": len(whole), "columns": whole.column_names, "first": rows[0]}
    if target == "trl-preference":
        found["n_unpaired"] = len(unpair_preference_dataset(whole.select_columns(["prompt", "chosen", "rejected"])))
    if conversational and target in ("trl-preference", "trl-prompt-completion"):
        found["tokens"] = [count(row, tokenizer) for row in whole]
    return found


def byte_tokenizer():
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer()
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def count(row, tokenizer):
    """Tokens of prompt and of each answer, divided as DPOTrainer divides them."""
    from trl.data_utils import _tokenize, common_prefix_length

    prompt = _tokenize(tokenizer, row["prompt"], add_generation_prompt=True)["input_ids"]
    answers = [row[key] for key in ("chosen", "rejected", "completion") if key in row]
    whole = [_tokenize(tokenizer, row["prompt"] + answer)["input_ids"] for answer in answers]
    n_prompt = min(common_prefix_length(prompt, ids) for ids in whole)
    return [n_prompt] + [len(ids) - n_prompt for ids in whole]


if __name__ == "__main__":
    main()
