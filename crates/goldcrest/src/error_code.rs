//! The table of error codes: for every cause a name that stays, whose fault it is, and what to do about it.
//!
//! Grammars and constraints bring their rows along: in the browser they are a module of their own, without this crate.

use goldcrest_decode::DecodeError;
use goldcrest_engine::EngineError;
use goldcrest_gguf::GgufError;
use goldcrest_gpu::GpuError;
#[cfg(not(target_family = "wasm"))]
use goldcrest_grammar::GrammarError;
use goldcrest_kernels::ProfileError;
use goldcrest_model::ModelError;
use goldcrest_prompt::PromptError;
use goldcrest_sample::SampleError;
use goldcrest_tokenizer::TokenizerError;

use crate::{ClassifyError, LoadError};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// A name that stays the same between releases, such as `E_DEVICE_LOST`.
    pub code: &'static str,
    /// Whether the cause is what the caller gave, not the machine, the disk or the program.
    pub bad_input: bool,
    /// What to do, one line.
    pub help: &'static str,
}

impl LoadError {
    /// The row of this error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Io { .. } => failure("E_MODEL_READ", READ),
            Self::Engine(error) => ErrorCode::of(error),
        }
    }
}

impl ErrorCode {
    /// The row of an engine's error.
    #[must_use]
    pub fn of(error: &EngineError) -> Self {
        engine(error)
    }

    /// The row of an error of [`crate::classify`].
    #[must_use]
    pub fn of_classify(error: &ClassifyError) -> Self {
        match error {
            ClassifyError::Engine(error) => engine(error),
            ClassifyError::NoSlot => input("E_NO_SLOT", "write {} into the prompt where the input belongs"),
            ClassifyError::NoDistribution => {
                input("E_NO_DISTRIBUTION", "calibrate by cbm or cc, or give one prompt")
            }
            ClassifyError::NoExample { .. } => {
                input("E_NO_EXAMPLE", "give labelled examples, at least one of each label")
            }
            ClassifyError::Decode(error) => strategy(error),
            ClassifyError::NoInput => input("E_NO_INPUT", "give an input for the {} of the prompt"),
            ClassifyError::EmptyLabel { .. } | ClassifyError::Score(_) => input("E_BAD_LABELS", LABELS),
        }
    }

    /// The row of a decoding strategy's error.
    #[must_use]
    pub fn of_strategy(error: &DecodeError) -> Self {
        strategy(error)
    }

    /// The row of a refused grammar.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub const fn of_grammar(error: &GrammarError) -> Self {
        input(error.code(), error.help())
    }
}

/// The cause is what the caller gave.
const fn input(code: &'static str, help: &'static str) -> ErrorCode {
    ErrorCode { code, bad_input: true, help }
}

/// The cause is the machine, the disk or the program.
const fn failure(code: &'static str, help: &'static str) -> ErrorCode {
    ErrorCode { code, bad_input: false, help }
}

const RANGES: &str = "the documentation says what each parameter may be";
const READ: &str = "check the file and where it comes from";
const FRESH_COPY: &str = "the file is damaged or incomplete; fetch it again or take another copy";
const OTHER_TYPE: &str = "take another quantization of this model, such as Q8_0 or Q4_K_M";
const NOT_WHOLE: &str = "the file is not a whole model; split files are not supported";
const ADAPTERS: &str = "take another adapter; the CPU always works";
const TRY_CPU: &str = "try the CPU: if it fails there too, the file is broken, else the device";
const LABELS: &str = "give labels of one token or more, each with the space that stands before it";
const AGAIN: &str = "try again; if it stays, update the graphics driver";
const BARE_PROMPT: &str = "give this model a prompt of plain text, without its template";
const REPORT: &str =
    "this is a fault in goldcrest or in the graphics driver; please report it with the adapter's name";

fn engine(error: &EngineError) -> ErrorCode {
    match error {
        EngineError::PromptTooLong { .. } => {
            input("E_PROMPT_TOO_LONG", "shorten the prompt, or give a longer context if the model allows it")
        }
        EngineError::EmptyPrompt => input("E_EMPTY_PROMPT", "give at least one token to continue"),
        EngineError::BadContext { .. } => input("E_BAD_CONTEXT", "give a smaller context length, or none"),
        EngineError::BadToken { .. } => input("E_BAD_TOKEN", "take tokens that this model's tokenizer gave"),
        EngineError::NoChatTemplate => input("E_NO_CHAT_TEMPLATE", BARE_PROMPT),
        EngineError::KvFull { .. } => input("E_KV_FULL", "give a longer context, or shorten the prompt"),
        EngineError::KvTooLarge { .. } => {
            input("E_KV_TOO_LARGE", "give a smaller context, or another adapter")
        }
        EngineError::NonFiniteLogits { .. } => failure("E_NON_FINITE_LOGITS", TRY_CPU),
        EngineError::WrongResults { .. } => failure(
            "E_WRONG_RESULTS",
            "update the graphics driver; the CPU computes rightly; please report it with the self-test's report",
        ),
        EngineError::NothingToSample => {
            input("E_NO_CANDIDATE", "the sampling parameters exclude every token; relax them")
        }
        EngineError::Busy => input("E_BUSY", "wait until the generation under way has ended"),
        EngineError::Aborted => failure("E_ABORTED", "start again"),
        EngineError::Gguf(error) => gguf(error),
        EngineError::Model(error) => model(error),
        EngineError::Gpu(error) => gpu(error),
        EngineError::Tokenizer(error) => tokenizer(error),
        EngineError::Prompt(error) => template(error),
        EngineError::Profile(ProfileError::Lacking { .. }) => failure("E_DEVICE_FEATURE", ADAPTERS),
        EngineError::Profile(_) => input(
            "E_KERNEL_ENTRY",
            "an entry is a name of the kernel profile with a value, as vec_lanes with 8",
        ),
        EngineError::Sample(error) => sample(error),
        EngineError::Constraint(error) => {
            ErrorCode { code: error.code(), bad_input: error.is_bad_input(), help: error.help() }
        }
        _ => failure("E_ENGINE", REPORT),
    }
}

fn strategy(error: &DecodeError) -> ErrorCode {
    use DecodeError as D;
    match error {
        D::UnknownMethod { .. } => input("E_UNKNOWN_STRATEGY", "take one of the listed strategies"),
        D::BadSpec { .. } => input("E_BAD_STRATEGY", "a strategy is NAME or NAME:key=value,key=value"),
        D::UnknownParameter { .. } | D::InvalidParameter { .. } => input("E_INVALID_PARAMETER", RANGES),
        D::MissingResource { .. } => {
            input("E_STRATEGY_NEEDS", "give the strategy what it works with, or take another one")
        }
        D::VocabularyMismatch { .. } | D::TokenMismatch { .. } => {
            input("E_VOCABULARY_MISMATCH", "take two models of one family, with the same tokenizer")
        }
        D::Unconstrained { .. } => input(
            "E_STRATEGY_WITH_FORM",
            "leave out the strategy or the form, or take another strategy, such as best_of_n, beam or speculation",
        ),
        D::DraftTooLarge { .. } => input("E_DRAFT_TOO_LARGE", "exchange the two models"),
        D::Head(_) => input("E_DRAFT_HEAD", "take a head that was trained for this very model"),
        D::BadMemory { .. } => input("E_BAD_MEMORY", "delete what was stored; it is learnt again"),
        D::Remote { .. } => failure("E_REMOTE", "check the server's address, and that it is up"),
        D::Scorer { .. } => failure("E_SCORER", "try the scorer by itself with one of the answers"),
        D::Engine(error) => engine(error),
        _ => failure("E_STRATEGY", REPORT),
    }
}

fn gguf(error: &GgufError) -> ErrorCode {
    use GgufError as G;
    match error {
        G::BadMagic { .. } => input("E_GGUF_MAGIC", "give a file in the GGUF format, as it is published"),
        G::BigEndian { .. } | G::UnsupportedVersion { .. } => input(
            "E_GGUF_VERSION",
            "take a newer publication of this model; its file format is not read any more",
        ),
        G::Truncated { .. } | G::TensorOutsideFile { .. } | G::ShortRead { .. } => {
            input("E_GGUF_TRUNCATED", FRESH_COPY)
        }
        G::SourceChanged { .. } => failure("E_GGUF_CHANGED", "wait until whatever writes the file is done"),
        G::MissingKey { .. } => {
            input("E_GGUF_MISSING_KEY", "the file lacks what every model file has; take another publication")
        }
        G::MissingTensor { .. } => input("E_GGUF_MISSING_TENSOR", NOT_WHOLE),
        G::UnknownTensorType { .. } | G::RemovedTensorType { .. } | G::UnsupportedType { .. } => {
            input("E_MODEL_UNSUPPORTED_TYPE", OTHER_TYPE)
        }
        G::HeaderTooLong { .. }
        | G::TooManyKeys { .. }
        | G::TooManyTensors { .. }
        | G::ArrayTooLong { .. }
        | G::StringTooLong { .. } => input("E_GGUF_LIMIT", FRESH_COPY),
        G::WrongType { .. } | G::OutOfRange { .. } => input("E_GGUF_BAD_KEY", FRESH_COPY),
        _ => input("E_GGUF_MALFORMED", FRESH_COPY),
    }
}

fn model(error: &ModelError) -> ErrorCode {
    match error {
        ModelError::UnsupportedArchitecture { .. } => {
            input("E_MODEL_UNSUPPORTED_ARCH", "take a model of one of these architectures")
        }
        ModelError::UnsupportedType { .. } => input("E_MODEL_UNSUPPORTED_TYPE", OTHER_TYPE),
        ModelError::UnsupportedVariant { .. } => {
            input("E_MODEL_UNSUPPORTED_VARIANT", "take another model of this family")
        }
        ModelError::BadHyperParameter { .. } => input("E_MODEL_BAD_PARAMETER", FRESH_COPY),
        ModelError::MissingTensor { .. } => input("E_MODEL_MISSING_TENSOR", NOT_WHOLE),
        ModelError::WrongShape { .. } => input("E_MODEL_WRONG_SHAPE", FRESH_COPY),
        ModelError::Shape(_) => {
            input("E_MODEL_UNSUPPORTED_SHAPE", "the model's dimensions are not supported; take another one")
        }
        ModelError::Gguf(error) => gguf(error),
        ModelError::Gpu(error) => gpu(error),
        ModelError::Read { .. } => failure("E_MODEL_READ", READ),
        _ => failure("E_MODEL", REPORT),
    }
}

fn gpu(error: &GpuError) -> ErrorCode {
    match error {
        GpuError::NoAdapter { .. } => input("E_NO_ADAPTER", ADAPTERS),
        GpuError::DeviceRefused { .. } => failure("E_DEVICE_REFUSED", ADAPTERS),
        GpuError::OutOfMemory { .. } => failure(
            "E_OUT_OF_GPU_MEMORY",
            "close what else uses the GPU, take a smaller model or context, or the CPU",
        ),
        GpuError::BufferTooLarge { .. } | GpuError::BindingTooLarge { .. } => failure(
            "E_DEVICE_LIMIT",
            "this device is too small for the model or context; try a smaller context or the CPU",
        ),
        GpuError::MissingFeature { .. } => failure("E_DEVICE_FEATURE", ADAPTERS),
        GpuError::Lost { .. } => failure("E_DEVICE_LOST", AGAIN),
        GpuError::Stalled { .. } => failure("E_DEVICE_STALLED", AGAIN),
        _ => failure("E_GPU", REPORT),
    }
}

fn tokenizer(error: &TokenizerError) -> ErrorCode {
    match error {
        TokenizerError::UnsupportedModel { .. } => {
            input("E_TOKENIZER_UNSUPPORTED", "take a model with one of these tokenizers")
        }
        TokenizerError::UnknownPreTokenizer { .. } | TokenizerError::MissingPreTokenizer => {
            input("E_TOKENIZER_UNKNOWN_PRE", "take a newer publication of this model")
        }
        _ => input("E_TOKENIZER_MALFORMED", FRESH_COPY),
    }
}

fn template(error: &PromptError) -> ErrorCode {
    match error {
        PromptError::Raised { .. } => {
            input("E_TEMPLATE_REFUSED", "change the messages as the model's template asks")
        }
        PromptError::Unsupported { .. } => input("E_TEMPLATE_UNSUPPORTED", BARE_PROMPT),
        PromptError::Syntax { .. } => input("E_TEMPLATE_SYNTAX", BARE_PROMPT),
        PromptError::TemplateTooLarge { .. }
        | PromptError::TemplateTooExpensive { .. }
        | PromptError::TooDeep { .. } => input("E_TEMPLATE_LIMIT", BARE_PROMPT),
        PromptError::ReservedName { .. } | PromptError::NotAList { .. } => input("E_TEMPLATE_INPUT", RANGES),
        _ => input("E_TEMPLATE", BARE_PROMPT),
    }
}

const fn sample(error: &SampleError) -> ErrorCode {
    match error {
        SampleError::NonFiniteLogits { .. } => failure("E_NON_FINITE_LOGITS", TRY_CPU),
        SampleError::NoCandidate => {
            input("E_NO_CANDIDATE", "the sampling parameters exclude every token; relax them")
        }
        SampleError::BadSpec { .. } => {
            input("E_BAD_CHAIN", "a chain is a list of stages with their values; see the documentation")
        }
        _ => input("E_INVALID_PARAMETER", RANGES),
    }
}
