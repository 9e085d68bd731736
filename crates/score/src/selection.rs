//! Which prompt template to take, from what it says of inputs whose labels nobody knows.

use crate::error::{ScoreError, rows, some};
use crate::labels::argmax;

/// Added inside logarithms, as in the reference program, so that a probability of 0 does no harm.
const FLOOR: f64 = 1e-7;

/// What the label distributions of a template tell of it, in nats (Yang et al., "Improving probability-based prompt
/// selection through unified evaluation and analysis").
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Information {
    /// Global entropy: that of the mean distribution. High where the template does not favour a label.
    pub global: f64,
    /// Local entropy: the mean of the distributions' entropies. Low where it is sure.
    pub local: f64,
    /// Global entropy of the labels chosen, each counted as certain.
    pub global_of_choices: f64,
}

impl Information {
    /// Mutual information of input and label: [`Template::Mi`].
    #[must_use]
    pub fn mi(&self) -> f64 {
        self.global - self.local
    }

    /// Mutual information with the choices counted as certain: [`Template::MiG`].
    #[must_use]
    pub fn mi_g(&self) -> f64 {
        self.global_of_choices - self.local
    }
}

/// By what a template is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// Most mutual information.
    Mi,
    /// Most mutual information, the choices counted as certain.
    MiG,
    /// Most global entropy.
    Ge,
    /// Least local entropy.
    Le,
    /// Least description length of the labels: the template whose distributions are sharpest, one vote an input.
    Mdl,
}

/// The figures of one template: `inputs[i]` is its label distribution for input i.
///
/// # Errors
/// [`ScoreError`] for rows that are empty, of unequal length, or no probabilities.
pub fn information(inputs: &[Vec<f64>]) -> Result<Information, ScoreError> {
    let n = rows("label distributions", inputs)?;
    let count = inputs.len() as f64;
    let mean = |value: &dyn Fn(&Vec<f64>, usize) -> f64| -> Vec<f64> {
        (0..n).map(|label| inputs.iter().map(|row| value(row, label)).sum::<f64>() / count).collect()
    };
    let marginal = mean(&|row, label| row.get(label).copied().unwrap_or(0.0));
    let choices = mean(&|row, label| f64::from(u8::from(argmax(row) == Some(label))));
    let local = inputs.iter().map(|row| floored_entropy(row)).sum::<f64>() / count;
    Ok(Information {
        global: floored_entropy(&marginal),
        local,
        global_of_choices: floored_entropy(&choices),
    })
}

/// The template to take: `templates[t][i]` is the label distribution of template t for input i. The first among equals.
///
/// # Errors
/// As [`information`].
pub fn select_template(templates: &[Vec<Vec<f64>>], by: Template) -> Result<usize, ScoreError> {
    some("templates", templates)?;
    if by == Template::Mdl {
        let chosen = select_by_confidence(templates)?;
        let votes: Vec<f64> =
            (0..templates.len()).map(|t| chosen.iter().filter(|c| **c == t).count() as f64).collect();
        return argmax(&votes).ok_or(ScoreError::Empty { what: "templates" });
    }
    let score = |inputs: &Vec<Vec<f64>>| {
        let found = information(inputs)?;
        Ok(match by {
            Template::Mi | Template::Mdl => found.mi(),
            Template::MiG => found.mi_g(),
            Template::Ge => found.global,
            Template::Le => -found.local,
        })
    };
    let scores: Result<Vec<f64>, ScoreError> = templates.iter().map(score).collect();
    argmax(&scores?).ok_or(ScoreError::Empty { what: "templates" })
}

/// MI_L, instance by instance: for each input the template whose distribution has the least entropy.
///
/// # Errors
/// As [`information`], and [`ScoreError::Lengths`] for templates with unequal numbers of inputs.
pub fn select_by_confidence(templates: &[Vec<Vec<f64>>]) -> Result<Vec<usize>, ScoreError> {
    some("templates", templates)?;
    let n = templates.first().map_or(0, Vec::len);
    for inputs in templates {
        rows("label distributions", inputs)?;
        crate::error::as_many("inputs of a template", inputs.len(), n)?;
    }
    let sharpest = |input: usize| {
        let scores: Vec<f64> = templates
            .iter()
            .map(|inputs| -inputs.get(input).map_or(f64::MAX, |row| floored_entropy(row)))
            .collect();
        argmax(&scores).ok_or(ScoreError::Empty { what: "templates" })
    };
    (0..n).map(sharpest).collect()
}

fn floored_entropy(p: &[f64]) -> f64 {
    p.iter().map(|p| -p * (p + FLOOR).ln()).sum()
}
