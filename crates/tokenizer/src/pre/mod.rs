//! Pre-tokenizers: how text is cut into words before any merging. Each group of models has one rule, written in their
//! own files as a regular expression; here as scanners that look at every character a bounded number of times.

mod cased;
mod class;
mod contrast;
mod gpt2;
mod words;

#[cfg(test)]
mod tests;

use words::Cl100k;

/// A rule, and what else the name of the pre-tokenizer decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pre {
    /// Digits cut out first, in groups of at most so many; the rule then sees each stretch between as a text of its own.
    digits: Option<usize>,
    rule: Rule,
    /// A word that is a token is taken whole, whatever the merges would make of it.
    pub(crate) ignore_merges: bool,
    /// BOS is added where the file does not say.
    pub(crate) add_bos: bool,
    /// Text is brought to Unicode normalization form C.
    pub(crate) nfc: bool,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Gpt2,
    Words(Cl100k),
    /// Words of one case, as GPT-4o cuts them; `contractions` stay with their word.
    Cased {
        digits: usize,
        contractions: bool,
    },
    /// DeepSeek V3's letters against punctuation.
    Contrast,
}

const PLAIN: Pre = Pre { digits: None, rule: Rule::Gpt2, ignore_merges: false, add_bos: false, nfc: false };
const LLAMA3: Pre = Pre { rule: Rule::Words(Cl100k::LLAMA3), ..PLAIN };
const QWEN2: Pre = Pre { rule: Rule::Words(Cl100k::QWEN2), ..PLAIN };

/// Names in `tokenizer.ggml.pre` by rule. The names are llama.cpp's; the rules are those of the models' own
/// tokenizer.json files. Names whose rule is not written here are left out on purpose: see `UnknownPreTokenizer`.
const TABLE: [(&[&str], Pre); 14] = [
    (
        &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "jina-v1-en",
            "jina-v2-es",
            "jina-v2-de",
            "jina-v2-code",
            "roberta-bpe",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "exaone4",
            "mpt",
            "olmo",
            "jais",
            "trillion",
            "granite-docling",
        ],
        PLAIN,
    ),
    (
        &["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"],
        Pre { digits: Some(1), ..PLAIN },
    ),
    (
        &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
        ],
        Pre { ignore_merges: true, add_bos: true, ..LLAMA3 },
    ),
    (&["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], LLAMA3),
    (&["minicpm5"], Pre { digits: Some(3), rule: Rule::Words(Cl100k::LLAMA3), ignore_merges: true, ..PLAIN }),
    (&["qwen2"], Pre { nfc: true, ..QWEN2 }),
    (
        &[
            "deepseek-r1-qwen",
            "kormo",
            "f2llmv2",
            "megrez",
            "stablelm2",
            "hunyuan",
            "solar-open",
            "grok-2",
            "bailingmoe",
            "bailingmoe2",
            "llada-moe",
        ],
        QWEN2,
    ),
    (&["qwen35"], Pre { rule: Rule::Words(Cl100k::QWEN35), nfc: true, ..PLAIN }),
    (&["ufakzeka"], Pre { rule: Rule::Words(Cl100k { contractions: false, ..Cl100k::QWEN2 }), ..PLAIN }),
    (&["seed-coder"], Pre { rule: Rule::Words(Cl100k { newline_tail: false, ..Cl100k::QWEN2 }), ..PLAIN }),
    (
        &["tekken"],
        Pre {
            rule: Rule::Cased { digits: 1, contractions: false },
            ignore_merges: true,
            add_bos: true,
            ..PLAIN
        },
    ),
    // The official files of GPT-OSS and Llama 4 take whole words first; llama.cpp does not, to the same effect but for
    // words that the merges cannot reach.
    (
        &["gpt-4o", "llama4", "granite-embed-multi-97m"],
        Pre { rule: Rule::Cased { digits: 3, contractions: true }, ignore_merges: true, ..PLAIN },
    ),
    (
        &["kanana2", "talkie", "minimax-m2"],
        Pre { rule: Rule::Cased { digits: 3, contractions: true }, ..PLAIN },
    ),
    (
        &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        Pre { digits: Some(3), rule: Rule::Contrast, ..PLAIN },
    ),
];

/// Every name that [`TokenizerSpec::pre`](crate::TokenizerSpec::pre) may carry.
pub fn known_pre_names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(names, _)| names.iter().copied())
}

impl Pre {
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|(names, _)| names.contains(&name)).map(|&(_, pre)| pre)
    }

    /// Cuts `text` into words, in order and without a gap.
    pub(crate) fn split<'t>(&self, text: &'t str, mut emit: impl FnMut(&'t str)) {
        let Some(group) = self.digits else { return self.rule.split(text, &mut emit) };
        let mut rest = text;
        while !rest.is_empty() {
            let (number, after) = rest.split_at(class::number_run(rest, usize::MAX));
            let mut number = number;
            while !number.is_empty() {
                let (word, others) = number.split_at(class::number_run(number, group));
                emit(word);
                number = others;
            }
            let (words, after) = after.split_at(class::run(after, |class| class != class::Class::Number));
            self.rule.split(words, &mut emit);
            rest = after;
        }
    }
}

impl Rule {
    fn split<'t, E: FnMut(&'t str)>(self, text: &'t str, emit: &mut E) {
        match self {
            Self::Gpt2 => cut(text, emit, gpt2::word),
            Self::Words(rule) => cut(text, emit, |rest| rule.word(rest)),
            Self::Cased { digits, contractions } => {
                cut(text, emit, |rest| cased::word(rest, digits, contractions))
            }
            Self::Contrast => contrast::stretches(text, |stretch| cut(stretch, emit, contrast::word)),
        }
    }
}

/// Takes words of `word` bytes from the front until nothing is left.
fn cut<'t, E: FnMut(&'t str)>(text: &'t str, emit: &mut E, word: impl Fn(&str) -> usize) {
    let mut rest = text;
    while !rest.is_empty() {
        // Every rule takes at least one character; one that did not would have to stop here, not spin.
        let Some((word, after)) = rest.split_at_checked(word(rest)).filter(|(word, _)| !word.is_empty())
        else {
            return emit(rest);
        };
        emit(word);
        rest = after;
    }
}
