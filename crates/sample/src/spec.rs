//! Reads chain descriptions; the grammar stands at [`crate::Chain::parse`].

use crate::end::{AdaptiveP, Choose, Mirostat, MirostatVersion, Surprise};
use crate::error::SampleError;
use crate::settings::{check, check_bias, check_int};
use crate::stage::{
    Bias, Dry, DynamicTemperature, Epsilon, Eta, LogitStage, MinP, NoCite, NoRepeatNgram, Penalties,
    Temperature, TopH, TopHVariant, TopK, TopNSigma, TopP, Typical, Xtc,
};

/// Longest description read: a chain of every stage with 1,000 biases and a page that may not be cited is below this.
const MAX_LEN: usize = 64 * 1024;

/// The stages by name. What is not here is in no chain, so that the list is whole.
pub(crate) const STAGES: &[&str] = &[
    "bias",
    "penalties",
    "dry",
    "no_repeat_ngram",
    "no_cite",
    "top_n_sigma",
    "top_h",
    "top_k",
    "typical",
    "top_p",
    "min_p",
    "epsilon",
    "eta",
    "xtc",
    "temp",
    "dynatemp",
];

/// The ends by name; `argmax` is another word for `greedy`.
pub(crate) const ENDS: &[&str] = &["draw", "greedy", "mirostat", "mirostat_v2", "adaptive_p"];

type Stage = Box<dyn LogitStage>;

pub(crate) fn parse(description: &str) -> Result<(Vec<Stage>, Choose), SampleError> {
    if description.len() > MAX_LEN {
        return Err(bad(MAX_LEN, "longer than 64 KiB"));
    }
    let mut stages = Vec::new();
    let mut end = None;
    let mut at = 0;
    for part in description.split('|') {
        let word = part.trim();
        if end.is_some() {
            return Err(bad(at, "nothing may follow the end of the chain"));
        }
        match word {
            "" if description.trim().is_empty() => {}
            "" => return Err(bad(at, "an empty stage")),
            _ => match step(word, at)? {
                Step::Stage(stage) => stages.push(stage),
                Step::End(choose) => end = Some(choose),
            },
        }
        at += part.len() + 1;
    }
    Ok((stages, end.unwrap_or(Choose::Draw)))
}

enum Step {
    Stage(Stage),
    End(Choose),
}

fn step(word: &str, at: usize) -> Result<Step, SampleError> {
    let (name, list) = match word.split_once('(') {
        Some((name, rest)) => {
            let list = rest.strip_suffix(')').ok_or_else(|| bad(at, "a closing bracket is missing"))?;
            (name.trim(), list)
        }
        None => (word, ""),
    };
    let args = Args::read(list, at)?;
    if !STAGES.iter().chain(ENDS).any(|known| *known == name) && name != "argmax" {
        return Err(args.bad(&format!("no stage is called {name:?}")));
    }
    match end(name, &args)? {
        Some(choose) => Ok(Step::End(choose)),
        None => stage(name, &args).map(Step::Stage),
    }
}

fn end(name: &str, args: &Args<'_>) -> Result<Option<Choose>, SampleError> {
    let version = match name {
        "greedy" | "argmax" => return args.only(&[]).map(|()| Some(Choose::Greedy)),
        "draw" => return args.only(&[]).map(|()| Some(Choose::Draw)),
        "adaptive_p" => {
            args.only(&["target", "decay"])?;
            let target = check("adaptive_target", args.float("target", None)?)?;
            let decay = check("adaptive_decay", args.float("decay", Some(0.9))?)?;
            if target < 0.0 {
                return Err(args.bad("a target below 0 is written as the end `draw`"));
            }
            return Ok(Some(Choose::AdaptiveP(AdaptiveP { target, decay })));
        }
        "mirostat" => MirostatVersion::V1,
        "mirostat_v2" => MirostatVersion::V2,
        _ => return Ok(None),
    };
    args.only(&["tau", "eta", "surprise"])?;
    Ok(Some(Choose::Mirostat(Mirostat {
        version,
        tau: check("mirostat_tau", args.float("tau", Some(5.0))?)?,
        eta: check("mirostat_eta", args.float("eta", Some(0.1))?)?,
        surprise: args.word("surprise", &Surprise::NAMES)?,
    })))
}

fn stage(name: &str, args: &Args<'_>) -> Result<Stage, SampleError> {
    let stage: Stage = match name {
        "bias" => bias(args)?,
        "penalties" => {
            args.only(&["last_n", "repeat", "freq", "present"])?;
            let stage = Penalties {
                last_n: args.int("last_n", Some(64))?,
                repeat: args.float("repeat", Some(1.0))?,
                frequency: args.float("freq", Some(0.0))?,
                presence: args.float("present", Some(0.0))?,
            };
            check_int::<i32>("penalty_last_n", stage.last_n)?;
            check("repeat_penalty", stage.repeat)?;
            check("frequency_penalty", stage.frequency)?;
            check("presence_penalty", stage.presence)?;
            Box::new(stage)
        }
        "dry" => dry(args)?,
        "no_cite" => no_cite(args)?,
        "no_repeat_ngram" => {
            Box::new(NoRepeatNgram { n: check_int("no_repeat_ngram", args.lone_int("n")?)? })
        }
        "top_k" => Box::new(TopK { k: check_int("top_k", args.lone_int("k")?)? }),
        "top_p" => Box::new(TopP { p: check("top_p", args.lone("p")?)? }),
        "min_p" => Box::new(MinP { p: check("min_p", args.lone("p")?)? }),
        "typical" => Box::new(Typical { p: check("typical_p", args.lone("p")?)? }),
        "top_n_sigma" => Box::new(TopNSigma { n: check("top_n_sigma", args.lone("n")?)? }),
        "epsilon" => Box::new(Epsilon { epsilon: check("epsilon_cutoff", args.lone("epsilon")?)? }),
        "eta" => Box::new(Eta { epsilon: check("eta_cutoff", args.lone("epsilon")?)? }),
        "top_h" => {
            args.only(&["", "h", "variant"])?;
            let share =
                if args.get("").is_some() { args.float("", None) } else { args.float("h", Some(0.4)) };
            Box::new(TopH {
                share: check("top_h", share?)?,
                variant: args.word("variant", &TopHVariant::NAMES)?,
            })
        }
        "xtc" => {
            args.only(&["p", "thr"])?;
            Box::new(Xtc {
                probability: check("xtc_probability", args.float("p", None)?)?,
                threshold: check("xtc_threshold", args.float("thr", Some(0.1))?)?,
            })
        }
        "temp" => {
            let t = check("temperature", args.lone("t")?)?;
            if t < crate::params::GREEDY_BELOW {
                return Err(args.bad("a temperature of 0 is written as the end `greedy`"));
            }
            Box::new(Temperature { t })
        }
        "dynatemp" => {
            args.only(&["t", "range", "exp"])?;
            Box::new(DynamicTemperature {
                t: check("temperature", args.float("t", None)?)?,
                range: check("dynatemp_range", args.float("range", None)?)?,
                exponent: check("dynatemp_exponent", args.float("exp", Some(1.0))?)?,
            })
        }
        _ => return Err(args.bad(&format!("no stage is called {name:?}"))),
    };
    Ok(stage)
}

fn bias(args: &Args<'_>) -> Result<Stage, SampleError> {
    let mut pairs = Vec::new();
    for (key, value) in &args.pairs {
        let id = key.parse().map_err(|_| args.bad(&format!("{key:?} is not a token id")))?;
        pairs.push((id, check_bias(args.number(value)?)?));
    }
    Ok(Box::new(Bias::new(&pairs)))
}

fn dry(args: &Args<'_>) -> Result<Stage, SampleError> {
    args.only(&["mult", "base", "allowed", "last_n", "breaker"])?;
    Ok(Box::new(Dry {
        multiplier: check("dry_multiplier", args.float("mult", Some(0.8))?)?,
        base: check("dry_base", args.float("base", Some(1.75))?)?,
        allowed_length: check_int("dry_allowed_length", args.int("allowed", Some(2))?)?,
        last_n: check_int("dry_last_n", args.int("last_n", Some(64))?)?,
        breakers: args.token_lists("breaker")?,
    }))
}

fn no_cite(args: &Args<'_>) -> Result<Stage, SampleError> {
    args.only(&["n", "text"])?;
    let n = check_int("no_cite_ngram", args.int("n", Some(8))?)?;
    Ok(Box::new(NoCite::new(n, &args.token_lists("text")?)))
}

fn bad(at: usize, what: &str) -> SampleError {
    SampleError::BadSpec { at, what: what.to_owned() }
}

/// The settings of one stage: `key=value`, or a value alone, whose key is then empty.
struct Args<'a> {
    pairs: Vec<(&'a str, &'a str)>,
    at: usize,
}

impl<'a> Args<'a> {
    fn read(list: &'a str, at: usize) -> Result<Self, SampleError> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for item in list.split(',').map(str::trim).filter(|_| !list.trim().is_empty()) {
            let (key, value) = item.split_once('=').unwrap_or(("", item));
            let (key, value) = (key.trim(), value.trim());
            if value.is_empty() {
                return Err(bad(at, "a setting without a value"));
            }
            if !["breaker", "text"].contains(&key) && pairs.iter().any(|pair| pair.0 == key) {
                return Err(bad(at, "a setting is given twice"));
            }
            pairs.push((key, value));
        }
        Ok(Self { pairs, at })
    }

    fn only(&self, names: &[&str]) -> Result<(), SampleError> {
        match self.pairs.iter().find(|(key, _)| !names.contains(key)) {
            Some((key, _)) => Err(self.bad(&format!("no setting is called {key:?} here"))),
            None => Ok(()),
        }
    }

    fn float(&self, name: &str, default: Option<f32>) -> Result<f32, SampleError> {
        match self.get(name) {
            Some(value) => self.number(value),
            None => default.ok_or_else(|| self.bad(&format!("the setting {name} is missing"))),
        }
    }

    fn int(&self, name: &str, default: Option<i32>) -> Result<i32, SampleError> {
        match self.get(name) {
            Some(value) => self.number(value),
            None => default.ok_or_else(|| self.bad(&format!("the setting {name} is missing"))),
        }
    }

    fn lone(&self, name: &str) -> Result<f32, SampleError> {
        self.number(self.only_value(name)?)
    }

    fn lone_int(&self, name: &str) -> Result<i32, SampleError> {
        self.number(self.only_value(name)?)
    }

    fn only_value(&self, name: &str) -> Result<&'a str, SampleError> {
        match self.pairs.as_slice() {
            [(key, value)] if key.is_empty() || *key == name => Ok(value),
            _ => Err(self.bad(&format!("exactly one setting, {name}, is expected"))),
        }
    }

    /// One of `names`; their default when left out.
    fn word<T: Copy + Default>(&self, name: &str, names: &[(&str, T)]) -> Result<T, SampleError> {
        let Some(word) = self.get(name) else { return Ok(T::default()) };
        let found = names.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
        let known = || names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| self.bad(&format!("{name} is one of {}, not {word:?}", known())))
    }

    /// Every value of a setting that may be given several times.
    fn token_lists(&self, name: &str) -> Result<Vec<Vec<u32>>, SampleError> {
        let values = self.pairs.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value);
        let lists = values.map(|list| list.split('-').map(|id| id.trim().parse()).collect());
        let lists: Result<Vec<Vec<u32>>, std::num::ParseIntError> = lists.collect();
        lists.map_err(|_| self.bad(&format!("a {name} is a list of token ids joined by -")))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn number<T: std::str::FromStr>(&self, text: &str) -> Result<T, SampleError> {
        text.parse().map_err(|_| self.bad(&format!("{text:?} is not a number of the kind expected")))
    }

    fn bad(&self, what: &str) -> SampleError {
        bad(self.at, what)
    }
}
