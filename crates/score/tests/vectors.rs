//! Worked numbers of every formula; `data/vectors.json` comes from an independent numpy program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_score::{
    Isotonic, Mode, Sampled, Template, Z_95, argmax, best_of, calibrate_by_marginal, cosine_costs,
    event_gaps, fisher_exact, fit_temperature, information, length_normalised, majority, max_probability,
    mean_probability, multi_prompt, recalibrate, reliability, select_by_confidence, select_template,
    sinkhorn, softmax, text_weights, type_token_ratio, vote, weighted_vote, wilson,
};
use serde_json::Value;

/// The numpy vectors carry six decimals.
const SIX_DECIMALS: f64 = 1e-6;

fn golden(key: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("data/vectors.json")).unwrap();
    all.get(key).unwrap_or_else(|| panic!("no vector {key}")).clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[track_caller]
fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= SIX_DECIMALS, "{got:?} instead of {want:?}");
    }
}

fn binary(first: &[f64]) -> Vec<Vec<f64>> {
    first.iter().map(|p| vec![*p, 1.0 - p]).collect()
}

fn templates() -> Vec<Vec<Vec<f64>>> {
    vec![
        binary(&[0.9, 0.8, 0.1]),
        vec![vec![0.6, 0.4], vec![0.5, 0.5], vec![0.4, 0.6]],
        binary(&[0.99, 0.98, 0.97]),
    ]
}

#[test]
fn templates_are_selected_by_information() {
    for (key, inputs) in ["mi.t1", "mi.t2", "mi.t3_degenerate"].iter().zip(templates()) {
        let (want, found) = (golden(key), information(&inputs).unwrap());
        close(
            &[found.global, found.local, found.mi(), found.mi_g()],
            &[number(&want["GE_M"]), number(&want["LE"]), number(&want["MI"]), number(&want["MI_G"])],
        );
    }
    let choose = |by| select_template(&templates(), by).unwrap();
    assert_eq!(choose(Template::Mi), 0);
    assert_eq!(choose(Template::MiG), 0);
    // The flat template has the highest global entropy, the one that always says the same the lowest local entropy.
    assert_eq!([choose(Template::Ge), choose(Template::Le), choose(Template::Mdl)], [1, 2, 2]);
    assert_eq!(select_by_confidence(&templates()).unwrap(), [2, 2, 2]);
    let halves = vec![binary(&[0.9, 0.6]), binary(&[0.7, 0.95])];
    assert_eq!(select_by_confidence(&halves).unwrap(), [0, 1]);
}

#[test]
fn calibration_by_marginalisation() {
    let (want, inputs) = (golden("cbm.t3"), &templates()[2]);
    let ratios = calibrate_by_marginal(inputs, Mode::Ratio).unwrap();
    let soft = calibrate_by_marginal(inputs, Mode::Softmax).unwrap();
    for (row, want) in ratios.iter().zip(want["ratio"].as_array().unwrap()) {
        close(row, &numbers(want));
    }
    for (row, want) in soft.iter().zip(want["softmax"].as_array().unwrap()) {
        close(row, &numbers(want));
    }
    let chosen = |rows: &[Vec<f64>]| rows.iter().map(|row| argmax(row).unwrap() as f64).collect::<Vec<_>>();
    assert_eq!(chosen(inputs), numbers(&want["pred_before"]));
    // The middle input is a tie but for rounding.
    assert_eq!([chosen(&soft)[0], chosen(&soft)[2]], [0.0, 1.0]);
}

#[test]
fn one_formula_with_several_references() {
    let pmi = recalibrate(&[0.30, 0.20], &[0.50, 0.10], Mode::Log).unwrap();
    close(&pmi, &numbers(&golden("pmi")));
    let want = golden("posthoc.diag");
    let of = |mode| recalibrate(&[0.7, 0.3], &[0.8, 0.2], mode).unwrap();
    close(&of(Mode::Ratio), &numbers(&want["raw"]));
    close(&of(Mode::Diag), &numbers(&want["norm"]));
    close(&of(Mode::Identity), &numbers(&want["identity"]));
    // A reference that never gives a label is taken as giving it once in a million times.
    assert!(recalibrate(&[0.5, 0.5], &[1.0, 0.0], Mode::Diag).unwrap()[1] > 0.999_99);
    // A uniform reference is the identity, and so is 0 for the affine form.
    close(&recalibrate(&[0.7, 0.3], &[0.5, 0.5], Mode::Diag).unwrap(), &[0.7, 0.3]);
    close(&recalibrate(&[0.7, 0.3], &[0.0, 0.0], Mode::Identity).unwrap(), &[0.7, 0.3]);
}

#[test]
fn ensembles() {
    let (want, rows) = (golden("selfens"), [vec![0.55, 0.45], vec![0.40, 0.60], vec![0.95, 0.05]]);
    close(&mean_probability(&rows).unwrap(), &numbers(&want["mean"]));
    close(&max_probability(&rows).unwrap(), &numbers(&want["max"]));
    let (label, votes) = majority(&rows).unwrap();
    assert_eq!(vec![label as f64, votes as f64], numbers(&want["majority"]));
    // An ensemble of one is its member.
    close(&mean_probability(&rows[..1]).unwrap(), &rows[0]);
    close(&max_probability(&rows[..1]).unwrap(), &rows[0]);
}

#[test]
fn answers_are_aggregated() {
    let want = golden("self_consistency");
    let all =
        [("42", -12.0, 0.2), ("41", -6.0, 0.7), ("42", -9.0, 0.4), ("40", -7.0, 0.6), ("42", -15.0, 0.1)];
    let samples = all.map(|(answer, logprob, reward)| Sampled { answer, logprob, reward });
    let (answer, votes) = vote(&samples).unwrap();
    assert_eq!(
        (answer, votes as u64),
        (want["vote"][0].as_str().unwrap(), want["vote"][1].as_u64().unwrap())
    );
    let best = best_of(&samples.each_ref().map(|sample| sample.reward)).unwrap();
    assert_eq!(samples[best].answer, want["bon_reward"].as_str().unwrap());
    // 42 and 41 weigh 0.7 each; the texts of 41 are likelier.
    let (answer, weight) = weighted_vote(&samples).unwrap();
    assert_eq!(answer, "41");
    close(&[weight], &[number(&want["weighted"]["41"])]);
    assert_eq!(vote(&samples[..2]).unwrap().0, "41", "one each: the likelier text");
    let even = [("b", -1.0, 0.0), ("a", -1.0, 0.0)].map(|(answer, logprob, reward)| Sampled {
        answer,
        logprob,
        reward,
    });
    assert_eq!(vote(&even).unwrap().0, "b", "one each, equally likely: the first");

    let want = golden("brio");
    for (key, logprob, length) in [("cand1", -24.0, 40), ("cand2", -30.0, 60), ("cand3", -18.0, 22)] {
        let both = [2.0, 1.0].map(|alpha| length_normalised(logprob, length, alpha).unwrap());
        close(&both, &numbers(&want[key]));
    }
    close(&text_weights(&[(0.10, 3), (0.12, 1), (0.08, 1)], 50).unwrap(), &numbers(&golden("ethicist")));
}

#[test]
fn optimal_transport() {
    let (want, costs) = (golden("mpd.sinkhorn"), vec![vec![0.1, 0.9], vec![0.8, 0.2]]);
    let plan = sinkhorn(&costs, 0.1).unwrap();
    for (row, want) in plan.flow.iter().zip(want["plan"].as_array().unwrap()) {
        close(row, &numbers(want));
    }
    close(&[plan.cost], &[number(&want["cost"])]);
    // Costs far from 0 have the same plan.
    let far: Vec<Vec<f64>> = costs.iter().map(|row| row.iter().map(|c| c + 300.0).collect()).collect();
    close(&sinkhorn(&far, 0.1).unwrap().flow.concat(), &plan.flow.concat());
    close(
        &cosine_costs(&[vec![1.0, 0.0]], &[vec![3.0, 0.0], vec![0.0, 2.0], vec![0.0, 0.0]]).unwrap()[0],
        &[0.0, 1.0, 1.0],
    );
}

/// States that lie on one class's prototypes decide where the scores do not.
#[test]
fn several_prompts_decide_together() {
    let states = [vec![1.0, 0.1], vec![0.9, 0.0]];
    let prototypes = [vec![vec![0.0, 1.0], vec![0.1, 1.0]], vec![vec![1.0, 0.0], vec![1.0, 0.1]]];
    let even = vec![vec![0.5, 0.5]; 2];
    let scores = multi_prompt(&even, &even, &states, &prototypes, 0.1).unwrap();
    assert_eq!(argmax(&scores), Some(1));
    // A prompt that leans to the first class without content loses its lean.
    let leaning = vec![vec![0.8, 0.2]; 2];
    let same = vec![prototypes[0].clone(), prototypes[0].clone()];
    let scores = multi_prompt(&vec![vec![0.7, 0.3]; 2], &leaning, &states, &same, 0.1).unwrap();
    assert_eq!(argmax(&scores), Some(1));
}

#[test]
fn temperature_scaling_and_its_error() {
    let logits = [[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [3.5, 0.0], [0.0, 4.0]].map(|row| row.to_vec());
    let labels = [0, 0, 1, 1, 1];
    let (want, fit) = (golden("tempscale"), fit_temperature(&logits, &labels).unwrap());
    assert!((fit.temperature - number(&want["T"])).abs() < 1e-4, "{fit:?}");
    close(&[fit.before, fit.after], &[number(&want["nll_before"]), number(&want["nll_after"])]);
    let right: Vec<bool> = logits.iter().zip(labels).map(|(row, label)| argmax(row) == Some(label)).collect();
    for (temperature, p, ece) in [(1.0, "p_before", "before"), (fit.temperature, "p_after", "after")] {
        let confidence = |row: &Vec<f64>| {
            let heated: Vec<f64> = row.iter().map(|logit| logit / temperature).collect();
            softmax(&heated).into_iter().fold(0.0, f64::max)
        };
        let confidences: Vec<f64> = logits.iter().map(confidence).collect();
        close(&confidences, &numbers(&want[p]));
        let found = reliability(&confidences, &right, 10).unwrap();
        close(&[found.ece], &[number(&golden("ece10")[ece])]);
        assert_eq!((found.accuracy, found.bins.iter().map(|bin| bin.n).sum::<usize>()), (0.6, 5));
    }
}

#[test]
fn isotonic_regression() {
    let want = golden("isotonic");
    let fit = Isotonic::fit(&numbers(&want["conf"]), &numbers(&want["correct"])).unwrap();
    close(&fit.fitted(), &numbers(&want["fit"]));
    close(&[0.1, 0.56, 0.65, 0.8, 1.0].map(|c| fit.probability(c)), &[0.0, 0.0, 0.5, 1.0, 1.0]);
}

#[test]
fn gaps_of_h_calibration() {
    let events = [(0.1, false), (0.3, false), (0.4, true), (0.7, false), (0.9, true)];
    close(&event_gaps(&events, 3).unwrap(), &numbers(&golden("hcal")["T"]));
    // A window of one event is the event's own error.
    close(&event_gaps(&events, 1).unwrap(), &[0.1, 0.3, 0.6, 0.7, 0.1]);
}

#[test]
fn intervals_of_the_drift_report() {
    for (key, k) in [("drift.wilson.2of16", 2), ("drift.wilson.16of16", 16)] {
        let (low, high) = wilson(k, 16, Z_95).unwrap();
        close(&[low, high], &numbers(&golden(key)));
    }
    let p = fisher_exact([[16, 0], [2, 14]]);
    assert!((p / 5.1e-7 - 1.0).abs() < 0.01, "{p}");
    close(&[fisher_exact([[3, 3], [3, 3]])], &[1.0]);
}

#[test]
fn repetition_of_texts() {
    let want = golden("ttr");
    let looped: Vec<u32> = (0..96).map(|i| i % 3).collect();
    let fresh: Vec<u32> = (0..60).chain(0..36).collect();
    close(
        &[type_token_ratio(&looped), type_token_ratio(&fresh)],
        &[number(&want["loop"]), number(&want["fresh96"])],
    );
}
