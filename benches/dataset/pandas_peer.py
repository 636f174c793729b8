"""The same part by pandas. Prints one JSON line.

requirements: pandas==3.1.1
usage: python pandas_peer.py community_alignment.csv
"""

import json
import sys

import pandas as pd

TURNS = ["first", "second", "third", "fourth"]


def folded(column):
    return column.fillna("").str.lower().str.replace(r"\s+", " ", regex=True).str.strip()


frame = pd.read_csv(sys.argv[1])
prompt = folded(frame["first_turn_prompt"])
comparison = prompt.str.cat([folded(frame[f"first_turn_response_{letter}"]) for letter in "abcd"], sep="\x1f")
out = {
    "rows": len(frame),
    "annotators": int(frame["annotator_id"].nunique()),
    "comparisons_by_turn": [int(frame[f"{turn}_turn_preferred_response"].notna().sum()) for turn in TURNS],
    "explanations_by_turn": [int(frame[f"{turn}_turn_feedback"].notna().sum()) for turn in TURNS],
}
for key, values in [("prompt", prompt), ("comparison", comparison)]:
    n = frame["annotator_id"].groupby(values).nunique()
    out[key] = [len(n), int((n >= 2).sum()), int((n >= 10).sum())]
print(json.dumps(out))
