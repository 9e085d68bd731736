//! From a grammar to a constraint over a model's tokens.

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::InferenceCapabilities;
use llguidance::{Matcher, ParserFactory};
use serde_json::json;

use crate::{
    Grammar, GrammarConstraint, GrammarError, Layout, Vocabulary, gbnf, lark, limits, regex, schema, tools,
};

/// Compiles grammars for one model. Making one takes tens of milliseconds; it serves any number of requests.
pub struct Compiler {
    factory: ParserFactory,
    vocabulary: Vocabulary,
}

impl Compiler {
    /// A compiler for the tokens of a model.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`].
    pub fn new(vocabulary: &Vocabulary) -> Result<Self, GrammarError> {
        // Masks of the inside of JSON strings and the like, which are most of a vocabulary, are computed once here.
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let forces = InferenceCapabilities {
            ff_tokens: vocabulary.env.tokenize_is_canonical(),
            ..InferenceCapabilities::default()
        };
        let mut factory = ParserFactory::new(&vocabulary.env, forces, &slices)
            .map_err(|error| GrammarError::Vocabulary { reason: error.to_string() })?;
        *factory.limits_mut() = limits::parser();
        factory.quiet();
        Ok(Self { factory, vocabulary: vocabulary.clone() })
    }

    /// The tokens that the compiler is for.
    #[must_use]
    pub const fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Compiles a grammar, or refuses it by name and place.
    ///
    /// # Errors
    /// Any [`GrammarError`].
    pub fn compile(&self, grammar: &Grammar) -> Result<GrammarConstraint, GrammarError> {
        match grammar {
            Grammar::JsonSchema { schema, layout } => {
                let schema = schema::prepare(schema.clone(), *layout)?;
                schema::check_compiles(&schema)?;
                self.start(TopLevelGrammar::from_json_schema(schema), "schema")
            }
            Grammar::JsonObject { layout } => self.json_object(*layout),
            Grammar::Regex(expression) => {
                regex::check(expression)?;
                let expression = regex::unanchored(expression);
                self.start(TopLevelGrammar::from_regex(expression), "regular expression")
            }
            Grammar::Lark(text) => {
                self.start(TopLevelGrammar::from_lark(lark::prepare(text)?), "Lark grammar")
            }
            Grammar::Tools(given) => {
                self.start(TopLevelGrammar::from_lark(tools::to_lark(given)?), "grammar of the tools")
            }
            Grammar::Gbnf(text) => {
                self.start(TopLevelGrammar::from_lark(gbnf::to_lark(text)?), "GBNF grammar")
            }
        }
    }

    fn json_object(&self, layout: Layout) -> Result<GrammarConstraint, GrammarError> {
        let schema = schema::prepare(json!({ "type": "object" }), layout)?;
        self.start(TopLevelGrammar::from_json_schema(schema), "schema")
    }

    fn start(&self, grammar: TopLevelGrammar, what: &'static str) -> Result<GrammarConstraint, GrammarError> {
        let parser =
            self.factory.create_parser(grammar).map_err(|error| refused(what, &error.to_string()))?;
        Ok(GrammarConstraint::new(Matcher::new(Ok(parser)), self.vocabulary.clone()))
    }
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiler").field("vocabulary", &self.vocabulary).finish_non_exhaustive()
    }
}

fn refused(what: &'static str, message: &str) -> GrammarError {
    let reason = message.lines().next().unwrap_or_default().to_owned();
    let spent = ["fuel", "too large", "too complex", "too many", "limit"];
    if spent.iter().any(|word| message.contains(word)) {
        return GrammarError::TooComplex { reason };
    }
    match message.split_once("Unsatisfiable schema: ") {
        Some((_, reason)) => GrammarError::Unsatisfiable { reason: reason.to_owned() },
        None => GrammarError::Syntax { what, reason },
    }
}
