//! A chain of SHA-256 hashes over events: changing one changes all that follow.
//!
//! The form is that of the reference programs for the attestation of outputs: canonical JSON (sorted keys, no spaces),
//! `H₀ = sha(chain ‖ agent ‖ time)`, `Hₙ = sha(n − 1 as 8 bytes, big end first ‖ type ‖ time ‖ payload's hash ‖ Hₙ₋₁)`, hashes in
//! lower-case hexadecimal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hashes::sha256;

/// The events of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HashChain {
    id: String,
    agent: String,
    begun: String,
    genesis: String,
    events: Vec<Event>,
}

/// One event.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Event {
    kind: String,
    time: String,
    payload_sha256: String,
    hash: String,
}

impl HashChain {
    pub(super) fn begin(id: &str, agent: &str, time: &str) -> Self {
        let genesis = genesis(id, agent, time);
        Self {
            id: id.to_owned(),
            agent: agent.to_owned(),
            begun: time.to_owned(),
            genesis,
            events: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, kind: &str, time: &str, payload: &Value) {
        let last = self.events.last().map_or(&self.genesis, |event| &event.hash);
        let payload_sha256 = sha256(&[canonical(payload).as_bytes()]);
        let hash = link(self.events.len(), kind, time, &payload_sha256, last);
        self.events.push(Event { kind: kind.to_owned(), time: time.to_owned(), payload_sha256, hash });
    }

    /// The first event that is not what its payload makes of it; the number of events for a chain without a right beginning
    /// or of another length.
    pub(super) fn check(&self, payloads: &[Value]) -> Option<usize> {
        if self.genesis != genesis(&self.id, &self.agent, &self.begun) || payloads.len() != self.events.len()
        {
            return Some(self.events.len());
        }
        let mut again = Self { events: Vec::new(), ..self.clone() };
        for (event, payload) in self.events.iter().zip(payloads) {
            again.push(&event.kind, &event.time, payload);
        }
        let pairs = self.events.iter().zip(&again.events);
        pairs.into_iter().position(|(a, b)| a.hash != b.hash || a.payload_sha256 != b.payload_sha256)
    }
}

fn genesis(id: &str, agent: &str, time: &str) -> String {
    sha256(&[id.as_bytes(), agent.as_bytes(), time.as_bytes()])
}

fn link(index: usize, kind: &str, time: &str, payload_sha256: &str, last: &str) -> String {
    let index = (index as u64).to_be_bytes();
    sha256(&[&index, kind.as_bytes(), time.as_bytes(), payload_sha256.as_bytes(), last.as_bytes()])
}

/// JSON with sorted keys and without spaces.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entry = |(key, value): &(&String, &Value)| {
                format!("{}:{}", Value::String((*key).clone()), canonical(value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// `2026-11-21T00:00:01+00:00` of seconds since 1970.
pub(super) fn timestamp(seconds: u64) -> String {
    // Days since 1 March 0000, in eras of 400 years (Hinnant, "chrono-compatible low-level date algorithms").
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
    use super::*;
    use serde_json::json;

    /// From an independent program.
    #[test]
    fn the_worked_example() {
        let payload = json!({ "seed": 42, "tokens": [1, 2, 3], "prompt_sha256": sha256(&[b"hi"]) });
        let canon = r#"{"prompt_sha256":"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4","seed":42,"tokens":[1,2,3]}"#;
        assert_eq!(canonical(&payload), canon);
        let mut chain = HashChain::begin("chain-1", "agent-1", "2026-11-21T00:00:00+00:00");
        assert_eq!(chain.genesis, "88b3e51271d96136b2d9e6e44dfd8248e66d696cb573c8bc6704be803f2bcfb4");
        chain.push("decode", "2026-11-21T00:00:01+00:00", &payload);
        let event = &chain.events[0];
        assert_eq!(event.payload_sha256, "c26a558556aceb953cb02fd36d307db3ab5558e6ce56ab7394a4838d951a25ef");
        assert_eq!(event.hash, "47de3b14ddb627949e489b545788de51b2c73857334a7e7702e92dde13d57289");
    }

    #[test]
    fn a_change_is_found_where_it_was_made() {
        let payloads = [json!({ "a": 1 }), json!({ "b": [2, "x"] }), json!({ "c": null })];
        let mut chain = HashChain::begin("id", "me", "t");
        payloads.iter().for_each(|payload| chain.push("decode", "t", payload));
        assert_eq!(chain.check(&payloads), None);
        let mut changed = payloads.clone();
        changed[1] = json!({ "b": [2, "y"] });
        assert_eq!(chain.check(&changed), Some(1));
        assert_eq!(chain.check(&payloads[..2]), Some(3));
        let mut late = chain.clone();
        late.begun = "u".to_owned();
        assert_eq!(late.check(&payloads), Some(3));
        let mut forged = chain;
        forged.events[2].time = "u".to_owned();
        assert_eq!(forged.check(&payloads), Some(2));
    }

    #[test]
    fn times() {
        for (seconds, want) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (951_827_696, "2000-02-29T12:34:56+00:00"),
            (1_795_219_201, "2026-11-21T00:00:01+00:00"),
            (4_102_444_799, "2099-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(timestamp(seconds), want);
        }
    }
}
