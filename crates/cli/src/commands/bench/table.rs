//! The report for people.

use super::report::{Report, Spread};
use crate::error::CliError;
use crate::output::{self, size};

/// Writes the report to standard output.
pub(super) fn print(report: &Report) -> Result<(), CliError> {
    head(report)?;
    output::line(&format!("{:<20} {:>10} {:>10} {:>10}", "tok/s", "median", "min", "max"))?;
    let row = |name: String, s: Spread, rest: String| {
        output::line(&format!("{name:<20} {:>10.2} {:>10.2} {:>10.2}  {rest}", s.median, s.min, s.max))
    };
    for prefill in &report.prefill {
        let rest = format!("first token after {:.1} ms", prefill.ttft_ms.median);
        row(format!("prefill {}", prefill.n_prompt), prefill.tokens_per_s, rest)?;
    }
    for decode in &report.decode {
        let rest = format!(
            "{:.0} dispatches, {:.2} ms of the host's, {} moved per token; {:.1} % of the memory's bandwidth",
            decode.dispatches_per_token,
            decode.host_ms_per_token,
            size(decode.bytes_moved_per_token as u64),
            100.0 * decode.bandwidth_share
        );
        row(format!("decode {} at {}", decode.n_tokens, decode.depth), decode.tokens_per_s, rest)?;
    }
    if !report.small_m.is_empty() {
        output::line(&format!(
            "{:<20} {:>10} {:>10} {:>10} {:>10}",
            "rows of a step", "chain ms", "ratio", "tree ms", "ratio"
        ))?;
    }
    for cost in &report.small_m {
        output::line(&format!(
            "{:<20} {:>10.2} {:>10.2} {:>10.2} {:>10.2}",
            cost.rows, cost.chain_ms.median, cost.chain_ratio, cost.tree_ms.median, cost.tree_ratio
        ))?;
    }
    Ok(())
}

fn head(report: &Report) -> Result<(), CliError> {
    let (model, adapter, load) = (&report.model, &report.adapter, &report.load);
    let kind = format!("{}, {}", model.file_type, size(model.file_bytes));
    output::line(&format!(
        "{} ({kind}) on {} ({}, {}), {} threads",
        model.name, adapter.name, adapter.backend, adapter.driver, report.threads
    ))?;
    output::line(&format!(
        "loaded in {:.0} ms (parse {:.0}, open {:.0}, text {:.0}, self-test {:.0}, allocate {:.0}, compile {:.0}, upload {:.0}); \
         first prompt answered after {:.0} ms",
        load.total_ms,
        load.parse_ms,
        load.open_ms,
        load.text_ms,
        load.selftest_ms,
        load.allocate_ms,
        load.compile_ms,
        load.upload_ms,
        load.first_ttft_ms
    ))?;
    output::line(&format!(
        "memory {}/s ({}); {} of weights per token",
        size(report.memory.bytes_per_s as u64),
        report.memory.method,
        size(report.weight_bytes_per_token)
    ))
}
