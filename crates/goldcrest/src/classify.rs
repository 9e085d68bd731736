//! Labels of inputs by their probability behind a prompt, calibrated by what the same prompt says without them.

use goldcrest_decode::DecodeError;
use goldcrest_engine::{EngineError, Prompt, Scored, Session};
use goldcrest_prompt::RenderInput;
use goldcrest_score::{Length, Mode, ScoreError, argmax, label_probabilities, marginal, recalibrate};
use serde_json::json;

/// Where a template takes its input.
pub const SLOT: &str = "{}";
/// Inputs without content, whose mean is the reference of contextual calibration (Zhao et al., 2021).
pub(crate) const CONTENT_FREE: [&str; 3] = ["", "N/A", "[MASK]"];

/// What label probabilities are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Calibrate {
    /// Nothing.
    #[default]
    None,
    /// Their mean over the inputs; wants ten inputs or more, of labels about equally frequent.
    Cbm,
    /// What the template says of inputs without content.
    Cc,
    /// What the template says of no input, as pointwise mutual information.
    Pmi,
}

impl Calibrate {
    /// Every calibration with its name.
    pub const NAMES: [(&'static str, Self); 4] =
        [("none", Self::None), ("cbm", Self::Cbm), ("cc", Self::Cc), ("pmi", Self::Pmi)];

    /// The calibration of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Inputs to be labelled.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The prompt, with [`SLOT`] where the input goes.
    pub template: String,
    /// The inputs; none if the template has no slot.
    pub inputs: Vec<String>,
    /// The labels as they follow the prompt: with the space that stands before them, if one does.
    pub labels: Vec<String>,
    /// Whether the prompt is a message in the model's chat template.
    pub chat: bool,
    /// What the length of a label does to its score.
    pub length: Length,
    /// What probabilities are divided by.
    pub calibrate: Calibrate,
}

/// One input's labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// Tokens and log-probabilities of each label.
    pub scored: Vec<Scored>,
    /// The model's distribution over the labels.
    pub p: Vec<f64>,
    /// The calibrated distribution; with [`Calibrate::Pmi`] the information of each label in nats.
    pub calibrated: Vec<f64>,
    /// The label with the largest calibrated value.
    pub best: usize,
}

/// Labels could not be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// The template has no place for the inputs or for what calibrates them.
    #[error("the prompt has no {SLOT}, where the input would stand")]
    NoSlot,
    /// The template has a place for inputs, and there are none.
    #[error("the prompt has a {SLOT} for an input, and no input is given")]
    NoInput,
    /// A label of no tokens cannot be scored.
    #[error("label {index} is empty")]
    EmptyLabel {
        /// Its place.
        index: usize,
    },
    /// Several prompts are combined by distributions, which pointwise mutual information is none of.
    #[error("pmi gives no distribution over the labels, which several prompts are combined by")]
    NoDistribution,
    /// Multi-prompt decoding compares with examples of every label.
    #[error("there is no example of label {label}")]
    NoExample {
        /// Its place.
        label: usize,
    },
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A hidden row could not be had.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The numbers cannot be worked with.
    #[error(transparent)]
    Score(#[from] ScoreError),
}

/// Labels the inputs of a question, in order.
///
/// # Errors
/// [`ClassifyError`]; what is wrong with the question is found before the model runs.
pub async fn classify(session: &Session, question: &Question) -> Result<Vec<Labelled>, ClassifyError> {
    let slot = question.template.contains(SLOT);
    if !slot && (!question.inputs.is_empty() || matches!(question.calibrate, Calibrate::Cc | Calibrate::Pmi))
    {
        return Err(ClassifyError::NoSlot);
    }
    if slot && question.inputs.is_empty() {
        return Err(ClassifyError::NoInput);
    }
    if let Some(index) = question.labels.iter().position(String::is_empty) {
        return Err(ClassifyError::EmptyLabel { index });
    }
    let none = String::new();
    let inputs = if slot { question.inputs.as_slice() } else { std::slice::from_ref(&none) };
    let (mut scored, mut p) = (Vec::new(), Vec::new());
    for input in inputs {
        let labels = ask(session, question, input).await?;
        p.push(probabilities(&labels, question.length)?);
        scored.push(labels);
    }
    let reference = match question.calibrate {
        Calibrate::None => None,
        Calibrate::Cbm => Some(marginal(&p)?),
        Calibrate::Cc => Some(mean_without_content(session, question, &CONTENT_FREE).await?),
        Calibrate::Pmi => Some(mean_without_content(session, question, &CONTENT_FREE[..1]).await?),
    };
    let mode = if question.calibrate == Calibrate::Pmi { Mode::Log } else { Mode::Diag };
    let labelled = |(scored, p): (Vec<Scored>, Vec<f64>)| {
        let calibrated = reference.as_ref().map(|reference| recalibrate(&p, reference, mode)).transpose()?;
        let calibrated = calibrated.unwrap_or_else(|| p.clone());
        let best = argmax(&calibrated).ok_or(ScoreError::Empty { what: "labels" })?;
        Ok(Labelled { scored, p, calibrated, best })
    };
    scored.into_iter().zip(p).map(labelled).collect()
}

async fn ask(session: &Session, question: &Question, input: &str) -> Result<Vec<Scored>, EngineError> {
    session.score(&filled(question, input), &question.labels).await
}

/// The prompt with an input in its place.
pub(crate) fn filled(question: &Question, input: &str) -> Prompt {
    let text = question.template.replace(SLOT, input);
    if question.chat {
        let messages = json!([{ "role": "user", "content": text }]);
        let input = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
        Prompt::Chat(Box::new(input))
    } else {
        Prompt::Text { text, parse_special: false }
    }
}

pub(crate) async fn mean_without_content(
    session: &Session,
    question: &Question,
    inputs: &[&str],
) -> Result<Vec<f64>, ClassifyError> {
    let mut p = Vec::new();
    for input in inputs {
        p.push(probabilities(&ask(session, question, input).await?, question.length)?);
    }
    Ok(marginal(&p)?)
}

fn probabilities(labels: &[Scored], length: Length) -> Result<Vec<f64>, ScoreError> {
    let logprobs: Vec<Vec<f32>> = labels.iter().map(|label| label.logprobs.clone()).collect();
    label_probabilities(&logprobs, length)
}
