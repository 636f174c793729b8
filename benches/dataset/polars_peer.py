"""A part of the statistics of a Community Alignment file by polars: rows, annotators, choices, explanations,
repeated prompts and comparisons. Prints one JSON line.

requirements: polars==2.1.0
usage: python polars_peer.py community_alignment.csv
"""

import json
import sys

import polars as pl

TURNS = ["first", "second", "third", "fourth"]


def folded(column):
    return pl.col(column).fill_null("").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


texts = ["first_turn_prompt"] + [f"first_turn_response_{letter}" for letter in "abcd"]
frame = (
    pl.scan_csv(sys.argv[1], infer_schema_length=2000)
    .select(
        "annotator_id",
        folded(texts[0]).hash().alias("prompt"),
        pl.concat_str([folded(text) for text in texts], separator="\x1f").hash().alias("comparison"),
        *[pl.col(f"{turn}_turn_preferred_response").is_not_null().alias(f"{turn} chosen") for turn in TURNS],
        *[pl.col(f"{turn}_turn_feedback").is_not_null().alias(f"{turn} explained") for turn in TURNS],
    )
    .collect(engine="streaming")
)
out = {
    "rows": len(frame),
    "annotators": frame["annotator_id"].n_unique(),
    "comparisons_by_turn": [frame[f"{turn} chosen"].sum() for turn in TURNS],
    "explanations_by_turn": [frame[f"{turn} explained"].sum() for turn in TURNS],
}
for key in ["prompt", "comparison"]:
    n = frame.group_by(key).agg(pl.col("annotator_id").n_unique())["annotator_id"]
    out[key] = [len(n), int((n >= 2).sum()), int((n >= 10).sum())]
print(json.dumps(out))
