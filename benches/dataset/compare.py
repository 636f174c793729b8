"""`polyculture dataset` beside polars, DuckDB and pandas on one Community Alignment file, by turns.

requirements: polars==2.1.0 duckdb==2.0.1 pandas==3.1.1
usage: cargo build --release
       python benches/dataset/compare.py community_alignment.csv [ROUNDS] [--pandas]      default: 5 rounds

The peers do a part of what `dataset stats` does; that their figures equal ours is checked in every round. Prints the
median of wall time and of peak memory over the rounds, and the ratio to polars.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parents[1] / "target" / "release" / "polyculture"


def measured(command):
    """Standard output, seconds, and peak resident memory in MB of a command."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1):
            raise SystemExit(f"{command} failed with {child.returncode}")
        out.seek(0)
        return out.read(), seconds, usage.ru_maxrss / 1024


def part(stats):
    """What the peers print, of what we print."""
    return {
        "rows": stats["rows"], "annotators": stats["annotators"],
        "comparisons_by_turn": stats["comparisons_by_turn"], "explanations_by_turn": stats["explanations_by_turn"],
        "prompt": [stats[f"first_prompts{rest}"] for rest in ["", "_2plus_annotators", "_10plus_annotators"]],
        "comparison": [stats[f"first_turn_comparisons_{rest}"]
                       for rest in ["distinct", "2plus_annotators", "10plus_annotators"]],
    }


def main():
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    source, rounds = given[0], int(given[1]) if len(given) > 1 else 5
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(source))) as folder:
        parquet = os.path.join(folder, "imported.parquet")
        dataset = [PROGRAM, "dataset"]
        commands = {
            "polars, a part, CSV": [sys.executable, HERE / "polars_peer.py", source],
            "DuckDB, a part, CSV": [sys.executable, HERE / "duckdb_peer.py", source],
            "dataset import": [*dataset, "import", source, "--out", parquet],
            "dataset stats, all, CSV": [*dataset, "stats", source, "--json"],
            "dataset stats, all, Parquet": [*dataset, "stats", parquet, "--json"],
            "dataset lint, no languages": [*dataset, "lint", source, "--no-language", "--json"],
        }
        if "--pandas" in sys.argv:
            commands["pandas, a part, CSV"] = [sys.executable, HERE / "pandas_peer.py", source]
        runs = {name: [] for name in commands}
        for _ in range(rounds):
            answers = {}
            for name, command in commands.items():
                out, *figures = measured(command)
                runs[name].append(figures)
                if "part" in name:
                    answers[name] = json.loads(out)
                elif "stats" in name:
                    answers[name] = part(json.loads(out))
            first = next(iter(answers.values()))
            for name, answer in answers.items():
                if answer != first:
                    raise SystemExit(f"{name} says {answer}, others {first}")
    medians = {name: [statistics.median(figure) for figure in zip(*figures)] for name, figures in runs.items()}
    polars = medians["polars, a part, CSV"][0]
    print("| work | s | MB | times polars' time |\n|---|---:|---:|---:|")
    for name, (seconds, memory) in medians.items():
        print(f"| {name} | {seconds:.2f} | {memory:.0f} | {seconds / polars:.2f} |")


if __name__ == "__main__":
    main()
