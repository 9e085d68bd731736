//! Stages that cut by entropy or by probability, and the citation blocker: worked numbers and edges.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{BASE, SIX_DECIMALS, after, ctx, golden, ids, numbers, row};
use goldcrest_sample::stage::{Epsilon, Eta, NoCite, TopH, TopHVariant};
use goldcrest_sample::{Candidates, Chain, LogitStage, SampleError, SamplerParams};

fn kept(p: &[f64], share: f32, variant: TopHVariant) -> Vec<u32> {
    after(row(p), p.len(), &TopH { share, variant }, &[]).0
}

#[test]
fn top_h_of_the_base_example() {
    use TopHVariant::{Authors, HuggingFace, Paper};
    for (key, share) in [("toph.0.3", 0.3), ("toph.0.4", 0.4), ("toph.0.6", 0.6), ("toph.0.8", 0.8)] {
        let want = golden(key);
        // Fewer than 100 candidates: renormalising them changes nothing.
        for variant in [Authors, HuggingFace] {
            assert_eq!(kept(&BASE, share, variant), ids(&want["code_kept"]), "{key}");
        }
        assert_eq!(kept(&BASE, share, Paper), ids(&want["normalised_kept"]), "{key}");
    }
    let peaked = [0.90, 0.05, 0.02, 0.015, 0.01, 0.005];
    assert_eq!(kept(&peaked, 0.4, HuggingFace), ids(&golden("toph.peaked.0.4")["code_kept"]));
    assert_eq!(kept(&[1.0 / 6.0; 6], 0.4, Authors), ids(&golden("toph.flat.0.4")["code_kept"]));
    assert_eq!(kept(&BASE, 0.6, Paper), ids(&golden("toph.exact_ecmm.0.6")["greedy"]));
}

#[test]
fn the_three_readings_of_top_h_part() {
    use TopHVariant::{Authors, HuggingFace, Paper};
    let split = golden("toph.split.0.5");
    let p = numbers(&split["p"]);
    assert_eq!(kept(&p, 0.5, Authors), ids(&split["code_kept"]));
    assert_eq!(kept(&p, 0.5, Paper), ids(&split["normalised_kept"]));
    let count = |key: &str, field: &str| golden(key)[field].as_u64().unwrap() as usize;
    let flat = |n: usize, variant| kept(&vec![1.0 / n as f64; n], 0.4, variant).len();
    assert_eq!(flat(16, Authors), count("toph.flat16.0.4", "code_kept_n"));
    assert_eq!(flat(16, Paper), count("toph.flat16.0.4", "normalised_kept_n"));
    assert_eq!(flat(1000, Paper), count("toph.flat1000.0.4", "normalised_kept_n"));
    // Here 40 partial sums of 100 equal ones meet the bound of 0.4 exactly, so that rounding decides.
    assert!((39..=40).contains(&flat(1000, Authors)) && (39..=40).contains(&flat(1000, HuggingFace)));
    // Half the mass beyond the first 100: the authors' reading still adds up the same shares of a smaller sum.
    let long: Vec<f64> = (0..1000).map(|i| 0.995f64.powi(i)).collect();
    let total: f64 = long.iter().sum();
    let long: Vec<f64> = long.iter().map(|p| p / total).collect();
    assert!(kept(&long, 0.4, Paper).len() < kept(&long, 0.4, Authors).len());
}

#[test]
fn top_h_at_its_edges() {
    for variant in [TopHVariant::HuggingFace, TopHVariant::Authors, TopHVariant::Paper] {
        assert_eq!(kept(&[1.0], 0.4, variant), [0]);
        assert_eq!(kept(&[0.5, 0.5], 1e-6, variant), [0]);
        assert_eq!(kept(&BASE, 0.0, variant).len(), 6);
        let far = Candidates::from_row(&[0.0, -500.0, -900.0]).unwrap();
        assert!(!after(far, 3, &TopH { share: 0.4, variant }, &[]).0.is_empty());
    }
}

/// Heat widens what min-p keeps before top-H does.
#[test]
fn top_h_stays_tight_with_heat() {
    let logits: Vec<f32> = (1..2000).map(|rank| -1.2 * (rank as f32).ln()).collect();
    let left = |description: &str| {
        let mut candidates = Candidates::from_row(&logits).unwrap();
        Chain::parse(description, 0).unwrap().apply(&mut candidates, 0).unwrap();
        candidates.len()
    };
    let [top_h, min_p, top_p] =
        ["temp(2) | top_h(0.4)", "temp(2) | min_p(0.05)", "temp(2) | top_p(0.95)"].map(left);
    assert!(top_h * 4 < min_p && min_p * 5 < top_p, "{top_h} {min_p} {top_p}");
}

#[test]
fn probability_cut_offs() {
    let epsilon = |epsilon| after(row(&BASE), 6, &Epsilon { epsilon }, &[]).0.len();
    assert_eq!([0.0, 0.03, 0.05, 0.12, 0.3, 0.5, 1.0].map(epsilon), [6, 6, 5, 3, 1, 1, 1]);
    let entropy = golden("base.H_nats").as_f64().unwrap();
    let cutoff = |epsilon: f32| Eta { epsilon }.cutoff(&row(&BASE));
    // √ε · e^−H is below ε where ε is above e^−2H = 0.0473.
    assert!((cutoff(0.2) - 0.2f64.sqrt() * (-entropy).exp()).abs() < 1e-6);
    assert!((cutoff(0.03) - 0.03).abs() < 1e-8);
    let eta = |epsilon| after(row(&BASE), 6, &Eta { epsilon }, &[]).0.len();
    // Cut at 0.0973 and at 0.03.
    assert_eq!([0.0, 0.03, 0.2, 1.0].map(eta), [6, 6, 4, 2]);
}

#[test]
fn the_entropy_of_a_hyperfitted_model_is_seen() {
    let want = golden("hyperfit.entropy");
    let entropy = |p: &[f64]| {
        let cutoff = Eta { epsilon: 1.0 }.cutoff(&row(p));
        -cutoff.ln()
    };
    assert!((entropy(&BASE) - want["ordinary"].as_f64().unwrap()).abs() < SIX_DECIMALS);
    let sharp = [0.985, 0.006, 0.004, 0.003, 0.001, 0.001];
    assert!((entropy(&sharp) - want["hyperfitted"].as_f64().unwrap()).abs() < SIX_DECIMALS);
}

#[test]
fn no_text_is_cited_beyond_its_n_gram() {
    let texts = [vec![1, 2, 3, 1, 2, 4], vec![2, 3, 0]];
    let left = |n, history: &[u32]| after(row(&[0.2; 5]), 5, &NoCite::new(n, &texts), history).0;
    assert_eq!(left(3, &[1, 2]), [0, 1, 2]);
    assert_eq!(left(3, &[9, 2, 3]), [2, 3, 4]);
    assert_eq!(left(3, &[3, 2]), [0, 1, 2, 3, 4]);
    assert_eq!(left(3, &[2]), [0, 1, 2, 3, 4]);
    assert_eq!(left(2, &[2]), [0, 1, 2]);
    assert_eq!(left(6, &[1, 2, 3, 1, 2]), [0, 1, 2, 3]);
    assert_eq!(left(7, &[1, 2, 3, 1, 2, 4]), [0, 1, 2, 3, 4]);
    // No n-gram reaches from one text into the next.
    assert_eq!(left(2, &[4]), [0, 1, 2, 3, 4]);
    assert_eq!(left(0, &[1, 2]), [0, 1, 2, 3, 4]);
    let all = NoCite::new(1, &[vec![0, 1]]).apply(&mut row(&[0.5, 0.5]), &ctx(&[]));
    assert_eq!(all, Err(SampleError::NoCandidate));
}

/// A greedy text that would cite its source word for word leaves it after n − 1 tokens, and never cites n of them.
#[test]
fn a_citation_is_left_in_time() {
    let source: Vec<u32> = (0..40).map(|i| i * 7 % 50).collect();
    let params =
        SamplerParams { no_cite_ngram: 5, no_cite_texts: vec![source.clone()], ..SamplerParams::greedy() };
    let mut chain = params.to_chain().unwrap();
    for position in 0..200u32 {
        // A model that knows nothing but its source.
        let next = chain.history().last().map_or(0, |last| (last + 7) % 50);
        let mut logits = vec![0.0; 50];
        logits[next as usize] = 9.0;
        let choice = chain.choose(&mut Candidates::from_row(&logits).unwrap(), position).unwrap();
        chain.commit(&choice);
    }
    let cited = chain.history().windows(5).any(|gram| source.windows(5).any(|other| other == gram));
    assert!(!cited, "{:?}", chain.history());
}
