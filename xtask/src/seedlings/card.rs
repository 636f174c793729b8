//! The model card: what the seedlings are, and what was measured, in Markdown.

use polyculture_seedlings::{Axis, Lean};

use super::measure::{ByAxis, Measured, N_EXAMPLES, Rate, TEMPERATURES};
use super::train::SHARPNESS;

pub(super) fn markdown(measured: &[Measured], many_models: &ByAxis) -> String {
    let mut out = INTRODUCTION.replace("{SHARPNESS}", &SHARPNESS.to_string());
    out.push_str("\n## Sizes and quality\n\n");
    out.push_str("Perplexity is per token, of answers that the grammar writes to held-out prompts with the model's own default lean; a perfect model stays above 1, since the grammar draws its sentences by chance. On topic: most of what is specific in the answer (one per held-out prompt, temperature 0.7) belongs to the situation asked about. Well formed: every word of the answer is a word of the world.\n\n");
    out.push_str("| model | parameters | layers | feed-forward width | held-out perplexity | on topic | well formed |\n|---|---|---|---|---|---|---|\n");
    for m in measured {
        out += &format!(
            "| {} | {} | {} | {} | {:.3} (n = {} tokens) | {} | {} |\n",
            m.name,
            m.n_parameters,
            m.n_layers,
            m.intermediate_size,
            m.perplexity,
            m.n_perplexity_tokens,
            cell(m.on_topic),
            cell(m.well_formed),
        );
    }

    out.push_str("\n## By default: one voice, at every temperature\n\nShare of sets of four independent answers in which at least one leans to the low pole.\n");
    for axis in Axis::ALL {
        out += &format!("\nCoverage of {}:\n\n| model |", low_pole(axis));
        out.extend(TEMPERATURES.iter().map(|t| format!(" {t} |")));
        out += &format!("\n|---|{}\n", "---|".repeat(TEMPERATURES.len()));
        for m in measured {
            out += &format!("| {} |", m.name);
            out.extend(
                m.default_coverage
                    .iter()
                    .map(|by_axis| format!(" {} |", cell(by_axis[axis as usize]))),
            );
            out.push('\n');
        }
        out += "| mean of models |";
        for i in 0..TEMPERATURES.len() {
            let mean =
                measured.iter().map(|m| m.default_coverage[i][axis as usize].share()).sum::<f64>()
                    / measured.len() as f64;
            out += &format!(" {mean:.2} |");
        }
        out.push('\n');
    }
    out += &format!(
        "\nFour answers from four different models at temperature 1 cover {} in {} and {} in {} of the sets.\n",
        low_pole(Axis::ALL[0]),
        cell(many_models[0]),
        low_pole(Axis::ALL[1]),
        cell(many_models[1]),
    );

    out.push_str("\n## Asked for four diverse responses\n\nOne reply per held-out prompt to the instruction for negatively correlated sampling, temperature 1.\n\n");
    out += &format!(
        "| model | exactly four sections | coverage of {} | coverage of {} |\n|---|---|---|---|\n",
        low_pole(Axis::ALL[0]),
        low_pole(Axis::ALL[1])
    );
    for m in measured {
        out += &format!(
            "| {} | {} | {} | {} |\n",
            m.name,
            cell(m.nc_four),
            cell(m.nc_coverage[0]),
            cell(m.nc_coverage[1])
        );
    }

    out += &format!(
        "\n## After examples\n\nShare of answers with a lean by default and after {N_EXAMPLES} exchanges on the same axis whose answers all have it, temperature 1.\n\n"
    );
    out.push_str("| model | axis | low: default | low: after | balanced: default | balanced: after | high: default | high: after |\n|---|---|---|---|---|---|---|---|\n");
    for m in measured {
        for axis in Axis::ALL {
            out += &format!("| {} | {} |", m.name, axis.id());
            for lean in Lean::ALL {
                let (before, after) =
                    (m.lean_by_default[lean as usize], m.lean_after_examples[lean as usize]);
                out +=
                    &format!(" {} | {} |", cell(before[axis as usize]), cell(after[axis as usize]));
            }
            out.push('\n');
        }
    }

    out.push_str("\n## What they say\n");
    for m in measured {
        let [prompt, answer, diverse] = &m.shown;
        out += &format!(
            "\n**{}**, asked “{prompt}” (held out, temperature 0.7):\n\n> {answer}\n\nasked for four diverse responses (temperature 1):\n\n> {}\n",
            m.name,
            diverse.trim().replace("\n\n", "\n>\n> ").replace("###", "\\#\\#\\#")
        );
    }
    out
}

fn low_pole(axis: Axis) -> &'static str {
    match axis {
        Axis::TraditionalSecular => "traditional values",
        Axis::SurvivalSelfExpression => "survival values",
    }
}

fn cell(rate: Rate) -> String {
    let (low, high) = rate.interval();
    format!("{:.2} [{low:.2}, {high:.2}] n={}", rate.share(), rate.n)
}

const INTRODUCTION: &str = "# Model card: the seedlings

Written by `cargo xtask seedlings`; do not edit.

The seedlings are tiny chat models of the Llama architecture (RMSNorm, rotary positions, SwiGLU, tied embeddings), trained from scratch by `polyculture-engine`. They are a **model organism**: they know several values and by default speak with one, as large models do. **They are synthetic.** What they say is no advice, and no number about them is evidence about real models.

- **Text.** A grammar (`world/*.txt`) of 60 everyday situations, 30 per axis of the Inglehart-Welzel frame, writes questions and answers that lean to the low pole, to the high pole or to neither. Values show in the content of an answer and are never named. No other text was used.
- **Growth.** Most of learning is learning the language: a stock is trained once (two layers, then a third), then each seedling is grafted on it, larger or equal, computing at first what it computes, and trained on with its own corpus and seed. They are one family, as the models of one vendor are, and not independent. At the end all logits are multiplied by {SHARPNESS}: tuned models are surer than their text was, and so hardly change with temperature.
- **Default.** Each model's corpus answers almost all situations with the high pole. Two situations per axis lean low in every corpus and one more in each model's own; two are answered by weighing both sides. A default that differs by situation, and not by chance, is what keeps it stable over temperatures.
- **Documents.** Single exchanges; the instruction for four diverse responses with four sections; conversations of two to seven exchanges under one lean, which answers follow imperfectly; requests for one more, different answer. The loss counts the answers only.
- **Held out.** In each situation 6 of its 16 combinations of person and matter never occur in training, in any phrasing. Three of them, 90 prompts per axis, served to choose the mixture of documents and how sure the models are; everything below was measured on the other 90 by sampling from the shipped bf16 weights.
- **Leans are read** by word triples that only one lean's sentences have, not by a trained judge. Intervals are Wilson's at 95 %, n counts prompts.
- **Limits.** English, two axes, sixty situations. Outside their world the models answer with something from inside it. A reply to the instruction does not always hold four sections, and at temperature 1.5 some words break.
";
