//! `cargo xtask compare`: this project and others on the same file, one after another in rounds, so that whatever else the machine
//! does reaches all alike.

mod browser;
mod candle;
mod contender;
mod llama;
mod options;
mod ours;
mod report;

use std::path::Path;

use contender::Contender;
use options::Options;
pub use options::USAGE;
use report::Entry;

/// Runs what is there, prints medians and ratios, and writes them with every single value to a file if one is named.
///
/// # Errors
/// What is wrong with the arguments, or why nothing can be compared.
pub fn run(root: &Path, args: &[&str]) -> Result<String, String> {
    let options = Options::parse(args)?;
    if !options.model.is_file() {
        return Err(format!(
            "{}: there is no such file; name a GGUF file with --model",
            options.model.display()
        ));
    }
    let (mut contenders, mut skipped) = (Vec::new(), Vec::new());
    let native = [ours::find(root, &options), llama::find(&options), candle::find(&options)];
    for found in native.into_iter().chain([browser::find(root, &options)]) {
        for one in found {
            match one {
                Ok(contender) => contenders.push(contender),
                Err(why) => skipped.push(why),
            }
        }
    }
    for why in &skipped {
        println!("skip: {why}");
    }
    let entries = rounds(contenders, options.rounds, &mut |line| println!("{line}"));
    let report = report::Report::new(&options, entries, skipped);
    if let Some(path) = &options.out {
        let text = serde_json::to_string_pretty(&report).map_err(|e| e.to_string())? + "\n";
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(report.table())
}

/// Every contender once in each round. One that fails is out, and its reason stays.
fn rounds(contenders: Vec<Contender>, n: usize, tell: &mut dyn FnMut(&str)) -> Vec<Entry> {
    let mut entries: Vec<Entry> = contenders.iter().map(|c| Entry::new(c.name.clone())).collect();
    for round in 1..=n {
        for (contender, entry) in contenders.iter().zip(&mut entries) {
            if entry.failed.is_some() {
                continue;
            }
            match (contender.run)() {
                Ok(speeds) => {
                    tell(&format!(
                        "round {round}, {}: prefill {:.1}, decode {:.1} tok/s",
                        entry.name, speeds.prefill, speeds.decode
                    ));
                    entry.add(speeds);
                }
                Err(why) => {
                    tell(&format!("{}: {why}", entry.name));
                    entry.failed = Some(why);
                }
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::contender::Speeds;
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[test]
    fn contenders_take_turns_and_who_fails_is_out() {
        let order = Rc::new(RefCell::new(Vec::new()));
        let contender = |name: &'static str, fails: bool| {
            let order = Rc::clone(&order);
            let run = move || {
                order.borrow_mut().push(name);
                let n = order.borrow().len() as f64;
                if fails {
                    Err("it broke".to_owned())
                } else {
                    Ok(Speeds { prefill: n, decode: n, first_token_ms: None, what: None })
                }
            };
            Contender { name: name.to_owned(), run: Box::new(run) }
        };
        let all = vec![contender("a", false), contender("b", true), contender("c", false)];
        let entries = rounds(all, 3, &mut |_| {});
        assert_eq!(*order.borrow(), ["a", "b", "c", "a", "c", "a", "c"]);
        assert_eq!(entries[0].decode, [1.0, 4.0, 6.0]);
        assert_eq!(entries[1].failed.as_deref(), Some("it broke"));
    }
}
