"""The aligned share over survey answers in numpy, as one would write it, beside ours: the same file, the same figures, by turns.

requirements: numpy==2.4.6
usage: cargo build --release -p polyculture-stats --example share
       python benches/survey/share.py [ROUNDS] [PEOPLE] [RESAMPLES]        defaults: 5 rounds, 15000 people, 1000 resamples

Makes a survey of 60 prompts on two axes, of which a person answers 20, and 21 models on the same prompts. Each side reads it and works out
the six readings for everyone and five countries with the standard errors of the two-way bootstrap (people within countries, prompts within
axes). Ours work out in the same time what they always do: mean places, distances and what each model adds.

Prints the medians of the rounds and the ratio to the faster numpy: its products are small, and threads of its BLAS that wait for each other
may cost more than they give, so that it runs with one of them and with as many as it likes. Fails if values differ by more than 1e-9 or
standard errors by more than the Monte Carlo error of two bootstraps. The times are those of the computation, without reading the file; peak
memory is of the whole process. SHARE names our program where it does not lie in target/release/examples.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

OURS = os.environ.get("SHARE", Path(__file__).resolve().parents[2] / "target" / "release" / "examples" / "share")
FINE_BINS = 5
TOLERANCE = 1e-9
N_COUNTRIES, N_AXES, N_PROMPTS, N_ANSWERS, N_MODELS = 5, 2, 60, 20, 21


def main():
    rounds, people, resamples = (int(given) for given in (sys.argv[1:] + ["5", "15000", "1000"][len(sys.argv) - 1:]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "survey.json"
        path.write_text(json.dumps(make(people)))
        commands = {
            "numpy": ([sys.executable, __file__, "peer", path, str(resamples)], {}),
            "numpy, one BLAS thread": ([sys.executable, __file__, "peer", path, str(resamples)], {"OPENBLAS_NUM_THREADS": "1"}),
            "polyculture": ([OURS, path, str(resamples)], {}),
        }
        results = {name: [] for name in commands}
        for round_idx in range(rounds):
            sides = list(commands.items())
            for name, (command, environment) in sides if round_idx % 2 == 0 else reversed(sides):
                output = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment).stdout
                results[name].append(json.loads(output))
    check(results["numpy"][0], results["polyculture"][0], resamples)
    medians = {name: {figure: statistics.median(run[figure] for run in runs) for figure in ("seconds", "peak_rss_mb")}
               for name, runs in results.items()}
    peer = min(medians["numpy"]["seconds"], medians["numpy, one BLAS thread"]["seconds"])
    print(json.dumps({
        "rounds": rounds, "people": people, "resamples": resamples, "numpy": np.__version__, "median": medians,
        "times_as_fast": round(peer / medians["polyculture"]["seconds"], 2),
    }, indent=2))


def make(n_people):
    rng = np.random.default_rng(1)
    axis = np.arange(N_PROMPTS) % N_AXES
    country = np.arange(n_people) % N_COUNTRIES
    lean = rng.normal(country[:, None] / 10 - 0.2, 0.5, (n_people, N_AXES))
    hard = rng.normal(0, 0.3, N_PROMPTS)
    answers = []
    for person in range(n_people):
        prompts = rng.permutation(N_PROMPTS)[:N_ANSWERS]
        scores = np.clip(np.round(1 + lean[person, axis[prompts]] + hard[prompts] + rng.normal(0, 0.6, N_ANSWERS)), 0, 2) / 2
        answers.append(list(zip(prompts.tolist(), scores.tolist())))
    models = 1.4 + rng.normal(0, 0.2, (N_MODELS, N_AXES))[:, axis] + hard + rng.normal(0, 0.4, (N_MODELS, N_PROMPTS))
    return {
        "axis_of_prompt": axis.tolist(), "n_groups": N_COUNTRIES, "answers": answers, "countries": country.tolist(),
        "weights": rng.uniform(0.5, 1.5, n_people).tolist(), "scores": (np.clip(np.round(models), 0, 2) / 2).tolist(),
    }


def check(numpy, ours, resamples):
    values, own = (np.array([group["values"] for group in side["groups"]]) for side in (numpy, ours))
    if np.abs(values - own).max() > 1e-9:
        sys.exit(f"the values differ:\n{values}\n{own}")
    errors, own = (np.array([group["std_errors"] for group in side["groups"]]) for side in (numpy, ours))
    # The standard deviation of n normal values has a relative error of 1 / sqrt(2 n); here two of them differ.
    if np.abs(errors / own - 1).max() > 5 / np.sqrt(resamples):
        sys.exit(f"the standard errors differ:\n{errors}\n{own}")


def peer(path, resamples):
    survey = json.loads(Path(path).read_text())
    scores = np.zeros((len(survey["answers"]), N_PROMPTS))
    answered = np.zeros_like(scores)
    for person, row in enumerate(survey["answers"]):
        for prompt, score in row:
            scores[person, prompt], answered[person, prompt] = score, 1
    models = np.array(survey["scores"])
    axis, country, weights = (np.array(survey[key]) for key in ("axis_of_prompt", "countries", "weights"))
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    on_axis = (axis[:, None] == np.arange(N_AXES)).astype(float)
    countries = [np.flatnonzero(country == c) for c in range(N_COUNTRIES)]
    axes = [np.flatnonzero(axis == k) for k in range(N_AXES)]

    def figures(people, prompts):
        """The readings of everyone and the countries, `[6, 6]`, people and prompts counted as often as they are drawn."""
        drawn = on_axis * prompts[:, None]
        n = answered @ drawn
        h = np.divide(scores @ drawn, n, out=np.zeros_like(n), where=n > 0)
        w = weights * people * (n > 0).all(1)
        return readings(h, w, models @ drawn / drawn.sum(0), country)

    values = figures(np.ones(len(weights)), np.ones(N_PROMPTS))
    draws = np.empty((resamples, *values.shape))
    for r in range(resamples):
        people, prompts = np.zeros(len(weights)), np.zeros(N_PROMPTS)
        for members, counts in [*((c, people) for c in countries), *((k, prompts) for k in axes)]:
            counts[members] = np.bincount(rng.integers(0, len(members), len(members)), minlength=len(members))
        draws[r] = figures(people, prompts)
    seconds = time.perf_counter() - start
    errors = draws.std(0, ddof=1)
    print(json.dumps({
        "tool": "numpy", "version": np.__version__, "seconds": seconds,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "groups": [{"values": value.tolist(), "std_errors": error.tolist()} for value, error in zip(values, errors)],
    }))


def readings(h, w, m, country):
    def by_group(mask):
        sums = np.bincount(country, w * mask, N_COUNTRIES)
        return np.concatenate([[sums.sum()], sums])

    def histogram(bins):
        cells, of_models = cell(h, bins), cell(m, bins)
        sums = np.bincount(country * bins**N_AXES + cells, w, N_COUNTRIES * bins**N_AXES).reshape(N_COUNTRIES, -1)
        sums = np.vstack([sums.sum(0), sums])
        return sums / sums.sum(1, keepdims=True), np.bincount(of_models, minlength=bins**N_AXES) / len(m)

    above, below = h >= m.min(0) - TOLERANCE, h <= m.max(0) + TOLERANCE
    inside = above & below
    total = by_group(np.ones(len(w)))
    halves, models = histogram(2)
    fine, models_fine = histogram(FINE_BINS)
    return np.column_stack([
        by_group(above.all(1)) / total,
        by_group(inside.all(1)) / total,
        np.min([by_group(column) / total for column in inside.T], 0),
        np.minimum(halves, models).sum(1),
        np.minimum(fine, models_fine).sum(1),
        halves[:, models == models.max()].mean(1),
    ])


def cell(places, bins):
    """A place on a cut falls low."""
    codes = np.maximum(np.ceil(places * bins - TOLERANCE), 1).astype(int) - 1
    return codes @ bins ** np.arange(places.shape[1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["peer"]:
        peer(sys.argv[2], int(sys.argv[3]))
    else:
        main()
