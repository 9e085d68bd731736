//! What speculation came to, for the report.

use serde_json::{Value, json};

/// Counts of passes and what they brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    steps: usize,
    tokens: usize,
    rows: usize,
    accepted: Vec<usize>,
    unassisted: usize,
    /// What the passes take by the planner's curve, in plain passes.
    cost: f64,
    /// Milliseconds spent on guessing.
    pub(crate) draft_ms: f64,
    /// Milliseconds spent on passes of the model that answers.
    pub(crate) verify_ms: f64,
}

impl Tally {
    /// A pass of `rows` rows, which takes `cost` plain passes, accepted `accepted` guesses.
    pub(crate) fn pass(&mut self, (rows, cost): (usize, f32), accepted: usize) {
        self.steps += 1;
        self.cost += f64::from(cost);
        self.tokens += accepted + 1;
        self.rows += rows;
        self.unassisted += usize::from(rows == 1);
        if self.accepted.len() <= accepted {
            self.accepted.resize(accepted + 1, 0);
        }
        self.accepted[accepted] += 1;
    }

    /// As the report has it, with what is said of guesses that the exact rule would not have taken. `tau` is tokens a pass, plain decoding being 1; `unassisted` counts passes without guesses.
    pub(crate) fn report(&self, drafter: &str, lossy: Option<Value>) -> Value {
        let mean = |sum: usize| sum as f64 / self.steps.max(1) as f64;
        let mut report = json!({
            "drafter": drafter,
            "steps": self.steps,
            "tau": mean(self.tokens),
            "accepted_histogram": self.accepted,
            "mean_rows": mean(self.rows),
            "unassisted": self.unassisted,
            "plain_passes": self.cost,
            "draft_ms": self.draft_ms,
            "verify_ms": self.verify_ms,
        });
        if let (Value::Object(members), Some(lossy)) = (&mut report, lossy) {
            members.insert("lossy".into(), lossy);
        }
        report
    }
}
