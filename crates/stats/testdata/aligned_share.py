"""Expected numbers for the tests of the aligned share over survey answers, from numpy.

    pip install numpy
    python aligned_share.py          # writes aligned_share.json beside this file

Each case is a small survey: people of three strata in overlapping groups (the last one is empty), of whom some lack an answer
on some axis; models by how many of their answers to a prompt were judged 0, .5 and 1; a validation of the judge an axis. The figures are worked
out for the whole sample and for three resamples, of which the multiplicities are given, by another route than in Rust: dense matrices of
people by prompts, models really left out, the linear system solved.

Figures stand in one row, for the models as judged and corrected: places [models, axes], then by group (everyone first) six readings, the mean
place and by model the distance, the differences and what it adds to O1, O2 and O4.
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(20261125)
TOLERANCE = 1e-9


def cells(places, bins):
    return [tuple(row) for row in (np.ceil(places * bins - TOLERANCE).clip(1) - 1).astype(int).tolist()]


def histogram(places, weights, bins):
    sums = {}
    for cell, weight in zip(cells(places, bins), weights):
        sums[cell] = sums.get(cell, 0) + weight
    return {cell: weight / weights.sum() for cell, weight in sums.items()}


def overlap(h, w, m, bins):
    people, models = histogram(h, w, bins), histogram(m, np.ones(len(m)), bins)
    return sum(min(people.get(cell, 0), share) for cell, share in models.items())


def readings(h, w, m, fine):
    if len(m) == 0:
        return np.zeros(6)
    share = lambda mask: (w * mask).sum() / w.sum()
    above, below = h >= m.min(0) - TOLERANCE, h <= m.max(0) + TOLERANCE
    people, models = histogram(h, w, 2), histogram(m, np.ones(len(m)), 2)
    fullest = [people.get(cell, 0) for cell, n in models.items() if np.isclose(n, max(models.values()))]
    return np.array([
        share(above.all(1)), share((above & below).all(1)), min(share(column) for column in (above & below).T),
        overlap(h, w, m, 2), overlap(h, w, m, fine), np.mean(fullest),
    ])


def figures_of_group(h, w, m, fine):
    if w.sum() == 0:
        return [None] * (6 + m.shape[1] + len(m) * (4 + m.shape[1]))
    everything = readings(h, w, m, fine)
    mean = np.average(h, axis=0, weights=w)
    row = [*everything, *mean]
    for model in range(len(m)):
        added = everything - readings(h, w, np.delete(m, model, 0), fine)
        row += [np.linalg.norm(m[model] - mean), *(m[model] - mean), *added[[0, 1, 3]]]
    return [float(x) for x in row]


def figures(case, people, prompts, tables):
    """Figures of a draw: how often it holds each person and prompt, and its validated texts."""
    axis = np.array(case["axis_of_prompt"])
    on_axis = (axis == np.arange(case["n_axes"])[:, None]).T * prompts[:, None]
    scores = np.array([[np.nan if x is None else x for x in row] for row in case["scores"]])
    answered = np.isfinite(scores)
    has_place = ((answered @ (axis == np.arange(case["n_axes"])[:, None]).T) > 0).all(1)
    n = answered @ on_axis
    is_drawn = has_place & (n > 0).all(1)
    h = np.nan_to_num(scores)[is_drawn] @ on_axis / n[is_drawn]
    w = (np.array(case["weights"]) * people)[is_drawn]
    counts = np.array(case["counts"], float)
    shares = counts / counts.sum(2, keepdims=True).clip(1)
    totals = np.einsum("mpc,pk->mkc", shares, on_axis)
    judged = totals / totals.sum(2, keepdims=True)
    corrected = np.empty_like(judged)
    for k, table in enumerate(tables):
        c = table / table.sum(1, keepdims=True)
        for model in range(len(counts)):
            solved = np.linalg.solve(c.T, judged[model, k]).clip(0)
            corrected[model, k] = solved / solved.sum()
    rows = []
    for q in (judged, corrected):
        m = q @ np.array([0, 0.5, 1])
        rows += m.ravel().tolist()
        for group in range(-1, case["n_groups"]):
            inside = np.array([group == -1 or group in groups for groups in case["groups"]])[is_drawn]
            rows += figures_of_group(h[inside], w[inside], m, case["fine_bins"])
    return rows


def resampled(strata):
    """How often each unit is drawn, with replacement within strata."""
    counts = np.zeros(len(strata), int)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        np.add.at(counts, rng.choice(members, len(members)), 1)
    return counts


def case(n_axes, n_people, n_prompts, n_models, fine_bins):
    axis = np.arange(n_prompts) % n_axes
    scores = rng.integers(0, 3, (n_people, n_prompts)) / 2
    # A default response, placed by a judge.
    scores[rng.random(scores.shape) < 0.1] = 0.7
    scores[rng.random(scores.shape) < 0.4] = np.nan
    lean = rng.uniform(0.2, 0.8, (n_models, 1))
    of_class = lambda p: rng.multinomial(rng.integers(1, 6), [(1 - p) ** 2, 2 * p * (1 - p), p * p])
    counts = np.array([[of_class(p) for _ in range(n_prompts)] for p in lean[:, 0]])
    counts[rng.random(counts.shape[:2]) < 0.05] = 0
    tables = np.array([[rng.multinomial(40, row) for row in ([0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.05, 0.15, 0.8])]
                       for _ in range(n_axes)])
    strata = np.arange(n_people) % 3
    groups = [sorted({int(i) % 3, *np.flatnonzero(rng.random(2) < 0.5) + 3}) for i in range(n_people)]
    made = {
        "n_axes": n_axes, "axis_of_prompt": axis.tolist(), "n_groups": 6, "fine_bins": fine_bins,
        "scores": [[None if np.isnan(x) else x for x in row] for row in scores.tolist()],
        "weights": rng.uniform(0.2, 3, n_people).round(3).tolist(), "strata": strata.tolist(),
        "groups": [[int(group) for group in row] for row in groups], "counts": counts.tolist(), "tables": tables.tolist(), "draws": [],
    }
    draws = [(np.ones(n_people, int), np.ones(n_prompts, int), tables)]
    while len(draws) < 4:
        prompts = resampled(axis)
        placed = np.array([[(counts[model, axis == k].sum(1) * prompts[axis == k]).sum() for k in range(n_axes)]
                           for model in range(n_models)])
        if (placed > 0).all():
            again = [[rng.multinomial(row.sum(), row / row.sum()) for row in table] for table in tables]
            draws.append((resampled(strata), prompts, np.array(again)))
    for people, prompts, drawn in draws:
        made["draws"].append({
            "people": people.tolist(), "prompts": prompts.tolist(), "tables": drawn.tolist(),
            "figures": figures(made, people, prompts, drawn),
        })
    return made


out = {
    "versions": {"numpy": np.__version__},
    "cases": [case(1, 30, 6, 1, 7), case(2, 60, 12, 5, 5), case(4, 40, 20, 4, 10), case(8, 30, 40, 3, 100)],
}
target = Path(__file__).with_name("aligned_share.json")
target.write_text(json.dumps(out) + "\n")
print(json.dumps(out["versions"]), "->", target.name, target.stat().st_size, "bytes")
