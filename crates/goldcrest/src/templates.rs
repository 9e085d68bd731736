//! Several prompts for one question: one of them chosen without knowing any label, or all of them together.

use goldcrest_decode::state_behind;
use goldcrest_engine::Session;
use goldcrest_score::{
    Information, ScoreError, Template, argmax, information, majority, max_probability, mean_probability,
    multi_prompt, select_by_confidence, select_template,
};

use crate::classify::{CONTENT_FREE, filled, mean_without_content};
use crate::{Calibrate, ClassifyError, Labelled, Question, classify};

/// Smoothing of the transport plans of multi-prompt decoding.
const EPSILON: f64 = 0.1;

/// What several prompts come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The answers of one prompt, chosen by what it says of all inputs.
    Select(Template),
    /// For each input the answer of the prompt that is surest of it (MI_L).
    SelectEach,
    /// The mean of the prompts' distributions.
    Mean,
    /// For each label the highest probability that a prompt gives it.
    Max,
    /// The label that most prompts choose.
    Majority,
    /// Multi-prompt decoding: calibrated means, less the distance of the hidden states from those of labelled examples.
    MultiPrompt,
}

impl Combine {
    /// Every combination with its name.
    pub const NAMES: [(&'static str, Self); 10] = [
        ("mi", Self::Select(Template::Mi)),
        ("mi_g", Self::Select(Template::MiG)),
        ("ge", Self::Select(Template::Ge)),
        ("le", Self::Select(Template::Le)),
        ("mdl", Self::Select(Template::Mdl)),
        ("mi_l", Self::SelectEach),
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("majority", Self::Majority),
        ("mpd", Self::MultiPrompt),
    ];

    /// The combination of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// A text whose label is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What stands in the input's place.
    pub input: String,
    /// The place of its label.
    pub label: usize,
}

/// What several prompts say of the inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What each prompt says by itself, input by input.
    pub members: Vec<Vec<Labelled>>,
    /// The figures by which prompts are chosen, one a prompt.
    pub information: Vec<Information>,
    /// What they say together, input by input.
    pub verdicts: Vec<Verdict>,
}

/// What several prompts say of one input together.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// A probability a label; with [`Combine::Majority`] its share of the votes, with [`Combine::MultiPrompt`] a score.
    pub values: Vec<f64>,
    /// The label with the largest value.
    pub best: usize,
    /// The prompt that was chosen, if one was.
    pub template: Option<usize>,
}

/// Labels the inputs of a question with each of several templates in the place of its own, and combines what they say.
/// `examples` are for [`Combine::MultiPrompt`] alone, which wants one of each label or more.
///
/// # Errors
/// As [`classify`]; [`ClassifyError::NoExample`]; [`ClassifyError::NoDistribution`] for [`Calibrate::Pmi`].
pub async fn classify_together(
    session: &Session,
    question: &Question,
    templates: &[String],
    combine: Combine,
    examples: &[Example],
) -> Result<Panel, ClassifyError> {
    if question.calibrate == Calibrate::Pmi {
        return Err(ClassifyError::NoDistribution);
    }
    let lacking = (0..question.labels.len()).find(|label| examples.iter().all(|e| e.label != *label));
    if let (Combine::MultiPrompt, Some(label)) = (combine, lacking) {
        return Err(ClassifyError::NoExample { label });
    }
    let questions: Vec<Question> = templates
        .iter()
        .map(|template| Question { template: template.clone(), ..question.clone() })
        .collect();
    let mut members = Vec::with_capacity(questions.len());
    for question in &questions {
        members.push(classify(session, question).await?);
    }
    let said = |labelled: &Vec<Labelled>| labelled.iter().map(|one| one.calibrated.clone()).collect();
    let said: Vec<Vec<Vec<f64>>> = members.iter().map(said).collect();
    let information: Result<Vec<Information>, ScoreError> =
        said.iter().map(|rows| information(rows)).collect();
    let verdicts = match combine {
        Combine::MultiPrompt => by_states(session, &questions, &members, examples).await?,
        other => combined(&said, other)?,
    };
    Ok(Panel { members, information: information?, verdicts })
}

/// Combines distributions: `said[template][input]`.
fn combined(said: &[Vec<Vec<f64>>], combine: Combine) -> Result<Vec<Verdict>, ScoreError> {
    let n_inputs = said.first().map_or(0, Vec::len);
    let chosen: Vec<Option<usize>> = match combine {
        Combine::Select(by) => vec![Some(select_template(said, by)?); n_inputs],
        Combine::SelectEach => select_by_confidence(said)?.into_iter().map(Some).collect(),
        _ => vec![None; n_inputs],
    };
    let one = |(input, template): (usize, Option<usize>)| {
        let rows: Vec<Vec<f64>> = said.iter().filter_map(|rows| rows.get(input).cloned()).collect();
        let values = match (combine, template) {
            (_, Some(template)) => rows.get(template).cloned().unwrap_or_default(),
            (Combine::Max, _) => max_probability(&rows)?,
            (Combine::Majority, _) => shares(&rows)?,
            _ => mean_probability(&rows)?,
        };
        Ok(Verdict { best: best(&values)?, values, template })
    };
    chosen.into_iter().enumerate().map(one).collect()
}

/// The share of the votes that each label gets.
fn shares(rows: &[Vec<f64>]) -> Result<Vec<f64>, ScoreError> {
    // It also checks the rows.
    let (_winner, _votes) = majority(rows)?;
    let n = rows.first().map_or(0, Vec::len);
    let votes = |label: usize| rows.iter().filter(|row| argmax(row) == Some(label)).count();
    Ok((0..n).map(|label| votes(label) as f64 / rows.len() as f64).collect())
}

async fn by_states(
    session: &Session,
    questions: &[Question],
    members: &[Vec<Labelled>],
    examples: &[Example],
) -> Result<Vec<Verdict>, ClassifyError> {
    let n_labels = questions.first().map_or(0, |question| question.labels.len());
    let mut content_free = Vec::with_capacity(questions.len());
    // prototypes[label][template]
    let mut prototypes = vec![Vec::with_capacity(questions.len()); n_labels];
    for question in questions {
        content_free.push(mean_without_content(session, question, &CONTENT_FREE).await?);
        for (label, prototypes) in prototypes.iter_mut().enumerate() {
            let mut states = Vec::new();
            for example in examples.iter().filter(|example| example.label == label) {
                states.push(state(session, question, &example.input).await?);
            }
            prototypes.push(mean(&states));
        }
    }
    let none = [String::new()];
    let inputs = questions.first().map(|question| question.inputs.as_slice()).unwrap_or_default();
    let inputs = if inputs.is_empty() { &none[..] } else { inputs };
    let mut verdicts = Vec::with_capacity(inputs.len());
    for (i, input) in inputs.iter().enumerate() {
        let mut states = Vec::with_capacity(questions.len());
        for question in questions {
            states.push(state(session, question, input).await?);
        }
        let scores: Vec<Vec<f64>> =
            members.iter().filter_map(|rows| rows.get(i)).map(|one| one.p.clone()).collect();
        let values = multi_prompt(&scores, &content_free, &states, &prototypes, EPSILON)?;
        verdicts.push(Verdict { best: best(&values)?, values, template: None });
    }
    Ok(verdicts)
}

/// The hidden row behind a question's prompt.
async fn state(session: &Session, question: &Question, input: &str) -> Result<Vec<f64>, ClassifyError> {
    let row = state_behind(session, &filled(question, input)).await?;
    Ok(row.into_iter().map(f64::from).collect())
}

fn mean(states: &[Vec<f64>]) -> Vec<f64> {
    let width = states.first().map_or(0, Vec::len);
    let at = |i: usize| states.iter().filter_map(|state| state.get(i)).sum::<f64>() / states.len() as f64;
    (0..width).map(at).collect()
}

fn best(values: &[f64]) -> Result<usize, ScoreError> {
    argmax(values).ok_or(ScoreError::Empty { what: "labels" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    /// The worked templates: one that tells inputs apart, one that is unsure, one that always says the same.
    fn templates() -> Vec<Vec<Vec<f64>>> {
        let rows = |list: [[f64; 2]; 3]| list.map(Vec::from).to_vec();
        vec![
            rows([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]),
            rows([[0.55, 0.45], [0.5, 0.5], [0.4, 0.6]]),
            rows([[0.99, 0.01], [0.98, 0.02], [0.97, 0.03]]),
        ]
    }

    #[test]
    fn one_prompt_is_chosen_or_all_speak() {
        let found = |combine| -> (Vec<usize>, Vec<Option<usize>>) {
            let verdicts = combined(&templates(), combine).unwrap();
            (verdicts.iter().map(|v| v.best).collect(), verdicts.iter().map(|v| v.template).collect())
        };
        assert_eq!(found(Combine::Select(Template::Mi)), (vec![0, 0, 1], vec![Some(0); 3]));
        assert_eq!(found(Combine::Select(Template::Le)), (vec![0, 0, 0], vec![Some(2); 3]));
        assert_eq!(found(Combine::SelectEach), (vec![0, 0, 0], vec![Some(2); 3]));
        assert_eq!(found(Combine::Mean).1, [None; 3]);
        let votes = combined(&templates(), Combine::Majority).unwrap();
        assert!((votes[2].values[1] - 2.0 / 3.0).abs() < 1e-12 && votes[2].best == 1);
    }

    /// The worked numbers of self-ensembling: rows (.55, .45), (.40, .60), (.95, .05).
    #[test]
    fn the_worked_ensembles() {
        let said: Vec<Vec<Vec<f64>>> =
            [[0.55, 0.45], [0.40, 0.60], [0.95, 0.05]].map(|row| vec![row.to_vec()]).to_vec();
        for (combine, want) in
            [(Combine::Mean, 0.633_333), (Combine::Max, 0.612_903), (Combine::Majority, 0.666_667)]
        {
            let got = combined(&said, combine).unwrap();
            assert!((got[0].values[0] - want).abs() < 1e-6 && got[0].best == 0, "{combine:?}: {got:?}");
        }
    }

    #[test]
    fn every_name_is_one_combination() {
        for (name, combine) in Combine::NAMES {
            assert_eq!(Combine::named(name), Some(combine));
        }
        assert_eq!(Combine::named("median"), None);
    }
}
