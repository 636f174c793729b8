"""The same part by DuckDB. Prints one JSON line.

requirements: duckdb==2.0.1
usage: python duckdb_peer.py community_alignment.csv
"""

import json
import sys

import duckdb

TURNS = ["first", "second", "third", "fourth"]


def folded(column):
    return f"trim(regexp_replace(lower(coalesce({column}, '')), '\\s+', ' ', 'g'))"


db = duckdb.connect()
db.execute("set threads = 2")
texts = [folded("first_turn_prompt")] + [folded(f"first_turn_response_{letter}") for letter in "abcd"]
flags = ", ".join(
    f"{turn}_turn_preferred_response is not null as {turn}_chosen, {turn}_turn_feedback is not null as {turn}_explained"
    for turn in TURNS
)
db.execute(
    f"create table facts as select annotator_id, hash({texts[0]}) as prompt, hash({', '.join(texts)}) as comparison, "
    f"{flags} from read_csv(?, max_line_size = 10000000, sample_size = 2000)",
    [sys.argv[1]],
)
sums = ", ".join(f"sum({turn}_{what}::int)" for what in ["chosen", "explained"] for turn in TURNS)
rows, annotators, *counts = db.execute(f"select count(*), count(distinct annotator_id), {sums} from facts").fetchone()
out = {
    "rows": rows,
    "annotators": annotators,
    "comparisons_by_turn": [int(n) for n in counts[:4]],
    "explanations_by_turn": [int(n) for n in counts[4:]],
}
for key in ["prompt", "comparison"]:
    out[key] = [int(n) for n in db.execute(
        f"select count(*), sum((n >= 2)::int), sum((n >= 10)::int) "
        f"from (select count(distinct annotator_id) as n from facts group by {key})"
    ).fetchone()]
print(json.dumps(out))
