//! The table of error codes: for every cause its stable name, its exit code and what to do about it.

use goldcrest::gguf::GgufError;
use goldcrest::gpu::GpuError;
use goldcrest::kernels::{ProfileError, ShapeError};
use goldcrest::model::ModelError;
use goldcrest::prompt::PromptError;
use goldcrest::sample::SampleError;
use goldcrest::tokenizer::TokenizerError;
use goldcrest::{EngineError, LoadError};

use crate::error::CliError;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) code: &'static str,
    pub(crate) exit: u8,
    /// One line.
    pub(crate) help: &'static str,
}

/// The cause is what the user gave.
const fn input(code: &'static str, help: &'static str) -> Entry {
    Entry { code, exit: 2, help }
}

/// The cause is the machine, the disk or the program.
const fn failure(code: &'static str, help: &'static str) -> Entry {
    Entry { code, exit: 1, help }
}

const RANGES: &str = "`goldcrest COMMAND --help` says what each option may be";
const FRESH_COPY: &str =
    "the file is damaged or incomplete; fetch it again (`goldcrest pull`) or take another copy";
const ADAPTERS: &str = "`goldcrest doctor` lists the adapters; --adapter cpu always works";
const REPORT: &str =
    "this is a fault in goldcrest or in the graphics driver; please report it with `goldcrest doctor`";

/// The row of an error. The store keeps its own table.
pub(crate) fn of(error: &CliError) -> Entry {
    match error {
        CliError::Usage { .. } => input("E_USAGE", RANGES),
        CliError::Store(_) => failure("E_STORE", "see the line above"),
        CliError::InvalidParameter { .. } => input("E_INVALID_PARAMETER", RANGES),
        CliError::BadContext { .. } => {
            input("E_BAD_CONTEXT", "leave -c out to take what the model was trained for")
        }
        CliError::SelfTest { .. } => failure(
            "E_SELFTEST",
            "update the graphics driver, or use `--adapter cpu`; please report it with the output of `goldcrest doctor`",
        ),
        CliError::NotAvailable { .. } => input("E_NOT_AVAILABLE", "leave the option out"),
        CliError::EmptyPrompt => {
            input("E_EMPTY_PROMPT", "give a prompt with -p, or write it to standard input")
        }
        CliError::File { .. } => {
            input("E_FILE", "check the spelling; a path is taken from the current folder")
        }
        CliError::BadFile { .. } => input("E_BAD_FILE", "`goldcrest COMMAND --help` says what it must hold"),
        CliError::Stdin(_) => input("E_STDIN", "give text in UTF-8, or the prompt with -p"),
        CliError::Load(LoadError::Io { .. }) => {
            failure("E_MODEL_READ", "check the file and the disk it is on")
        }
        CliError::Load(LoadError::Engine(error)) | CliError::Engine(error) => engine(error),
        CliError::Load(_) => failure("E_LOAD", REPORT),
        CliError::Interrupted => {
            Entry { code: "E_INTERRUPTED", exit: 130, help: "run the same command again" }
        }
        CliError::Stdout(_) => failure("E_STDOUT", "check the disk or the program that reads the output"),
    }
}

fn engine(error: &EngineError) -> Entry {
    match error {
        EngineError::PromptTooLong { .. } => input(
            "E_PROMPT_TOO_LONG",
            "shorten the prompt, or give a longer context with -c if the model allows it",
        ),
        EngineError::EmptyPrompt => {
            input("E_EMPTY_PROMPT", "give a prompt with -p, or write it to standard input")
        }
        EngineError::BadContext { .. } => input("E_BAD_CONTEXT", "give a smaller -c, or leave it out"),
        EngineError::BadToken { .. } => {
            input("E_BAD_TOKEN", "`goldcrest tokenize` shows the tokens of a text")
        }
        EngineError::NoChatTemplate => {
            input("E_NO_CHAT_TEMPLATE", "use `goldcrest run --raw` with this model")
        }
        EngineError::KvFull { .. } => {
            input("E_KV_FULL", "give a longer context with -c, or shorten the prompt")
        }
        EngineError::KvTooLarge { .. } => input("E_KV_TOO_LARGE", "give a smaller -c, or another adapter"),
        EngineError::NonFiniteLogits { .. } => failure(
            "E_NON_FINITE_LOGITS",
            "try --adapter cpu: if it fails there too, the file is broken, else the device",
        ),
        EngineError::NothingToSample => {
            input("E_NO_CANDIDATE", "the sampling options exclude every token; relax them")
        }
        EngineError::Aborted => {
            Entry { code: "E_INTERRUPTED", exit: 130, help: "run the same command again" }
        }
        EngineError::Gguf(error) => gguf(error),
        EngineError::Model(error) => model(error),
        EngineError::Gpu(error) => gpu(error),
        EngineError::Tokenizer(error) => tokenizer(error),
        EngineError::Prompt(error) => template(error),
        EngineError::Profile(error) => profile(error),
        EngineError::Sample(error) => sample(error),
        // Busy and the errors of sequences and batches: the commands never cause them.
        _ => failure("E_ENGINE", REPORT),
    }
}

fn gguf(error: &GgufError) -> Entry {
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
        G::MissingTensor { .. } => {
            input("E_GGUF_MISSING_TENSOR", "the file is not a whole model; split files are not supported")
        }
        G::UnknownTensorType { .. } | G::RemovedTensorType { .. } | G::UnsupportedType { .. } => input(
            "E_MODEL_UNSUPPORTED_TYPE",
            "take another quantization of this model, such as Q8_0 or Q4_K_M",
        ),
        G::HeaderTooLong { .. }
        | G::TooManyKeys { .. }
        | G::TooManyTensors { .. }
        | G::ArrayTooLong { .. }
        | G::StringTooLong { .. } => input("E_GGUF_LIMIT", FRESH_COPY),
        G::WrongType { .. } | G::OutOfRange { .. } => input("E_GGUF_BAD_KEY", FRESH_COPY),
        _ => input("E_GGUF_MALFORMED", FRESH_COPY),
    }
}

fn model(error: &ModelError) -> Entry {
    match error {
        ModelError::UnsupportedArchitecture { .. } => input(
            "E_MODEL_UNSUPPORTED_ARCH",
            "take a model of one of these architectures; `goldcrest list` names some",
        ),
        ModelError::UnsupportedType { .. } => input(
            "E_MODEL_UNSUPPORTED_TYPE",
            "take another quantization of this model, such as Q8_0 or Q4_K_M",
        ),
        ModelError::UnsupportedVariant { .. } => {
            input("E_MODEL_UNSUPPORTED_VARIANT", "take another model of this family")
        }
        ModelError::BadHyperParameter { .. } => input("E_MODEL_BAD_PARAMETER", FRESH_COPY),
        ModelError::MissingTensor { .. } => {
            input("E_MODEL_MISSING_TENSOR", "the file is not a whole model; split files are not supported")
        }
        ModelError::WrongShape { .. } => input("E_MODEL_WRONG_SHAPE", FRESH_COPY),
        ModelError::Shape(error) => shape(error),
        ModelError::Gguf(error) => gguf(error),
        ModelError::Gpu(error) => gpu(error),
        ModelError::Read { .. } => failure("E_MODEL_READ", "check the file and the disk it is on"),
        _ => failure("E_MODEL", REPORT),
    }
}

const fn shape(_: &ShapeError) -> Entry {
    input("E_MODEL_UNSUPPORTED_SHAPE", "the model's dimensions are not supported; take another one")
}

fn gpu(error: &GpuError) -> Entry {
    match error {
        GpuError::NoAdapter { .. } => input("E_NO_ADAPTER", ADAPTERS),
        GpuError::DeviceRefused { .. } => failure("E_DEVICE_REFUSED", ADAPTERS),
        GpuError::OutOfMemory { .. } => failure(
            "E_OUT_OF_GPU_MEMORY",
            "close programs that use the GPU, take a smaller model or -c, or --adapter cpu",
        ),
        GpuError::BufferTooLarge { .. } | GpuError::BindingTooLarge { .. } => failure(
            "E_DEVICE_LIMIT",
            "this device is too small for the model or context; try a smaller -c or --adapter cpu",
        ),
        GpuError::MissingFeature { .. } => failure("E_DEVICE_FEATURE", ADAPTERS),
        GpuError::Lost { .. } => {
            failure("E_DEVICE_LOST", "run the command again; if it stays, update the graphics driver")
        }
        GpuError::Stalled { .. } => {
            failure("E_DEVICE_STALLED", "run the command again; if it stays, update the graphics driver")
        }
        _ => failure("E_GPU", REPORT),
    }
}

fn tokenizer(error: &TokenizerError) -> Entry {
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

fn template(error: &PromptError) -> Entry {
    match error {
        PromptError::Raised { .. } => {
            input("E_TEMPLATE_REFUSED", "change the messages as it asks, or use --raw")
        }
        PromptError::Unsupported { .. } => input("E_TEMPLATE_UNSUPPORTED", "use --raw with this model"),
        PromptError::Syntax { .. } => input("E_TEMPLATE_SYNTAX", "use --raw with this model"),
        PromptError::TemplateTooLarge { .. }
        | PromptError::TemplateTooExpensive { .. }
        | PromptError::TooDeep { .. } => input("E_TEMPLATE_LIMIT", "use --raw with this model"),
        PromptError::ReservedName { .. } | PromptError::NotAList { .. } => input("E_TEMPLATE_INPUT", RANGES),
        _ => input("E_TEMPLATE", "use --raw with this model"),
    }
}

const fn profile(_: &ProfileError) -> Entry {
    input(
        "E_KERNEL_ENTRY",
        "an entry is a name of the kernel profile with a value, as in --kernel vec_lanes=8",
    )
}

const fn sample(error: &SampleError) -> Entry {
    match error {
        SampleError::NonFiniteLogits { .. } => failure(
            "E_NON_FINITE_LOGITS",
            "try --adapter cpu: if it fails there too, the file is broken, else the device",
        ),
        SampleError::NoCandidate => {
            input("E_NO_CANDIDATE", "the sampling options exclude every token; relax them")
        }
        SampleError::BadSpec { .. } => {
            input("E_BAD_CHAIN", "`goldcrest sample --help` shows how a chain is written")
        }
        _ => input("E_INVALID_PARAMETER", RANGES),
    }
}
