//! What speculation came to, for the report.

use std::time::Duration;

use serde_json::{Value, json};

use super::beside::Beside;

/// What a pass of the model that answers still has to take behind the writing beside it, to have hidden all of that: reading a result
/// that is there takes less.
const STILL_RUNNING: Duration = Duration::from_micros(200);

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
    /// Passes beside which a further model wrote, and milliseconds of its that they hid for certain.
    overlapped: Option<(usize, f64)>,
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

    /// Guesses may be written beside passes.
    pub(crate) fn may_overlap(&mut self) {
        self.overlapped.get_or_insert_default();
    }

    /// What was written beside a pass.
    pub(crate) fn beside(&mut self, beside: &Beside) {
        let (passes, hidden_ms) = self.overlapped.get_or_insert_default();
        *passes += usize::from(beside.passes > 0);
        if beside.waited > STILL_RUNNING {
            *hidden_ms += beside.took.as_secs_f64() * 1e3;
        }
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
        if let Value::Object(members) = &mut report {
            members.extend(lossy.map(|lossy| ("lossy".into(), lossy)));
            let overlapped = self.overlapped.map(|(passes, hidden_ms)| [json!(passes), json!(hidden_ms)]);
            members.extend(
                ["overlapped", "hidden_ms"]
                    .map(String::from)
                    .into_iter()
                    .zip(overlapped.into_iter().flatten()),
            );
        }
        report
    }
}
