//! The command's rows of the table of error codes, and its words where an option does what the help says.

use goldcrest::ErrorCode;

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

const INTERRUPTED: Entry = Entry { code: "E_INTERRUPTED", exit: 130, help: "run the same command again" };
const RANGES: &str = "`goldcrest COMMAND --help` says what each option may be";
const ADAPTERS: &str = "`goldcrest doctor` lists the adapters; --adapter cpu always works";
const STRATEGIES: &str = "`goldcrest strategies` lists them";
const RAW: &str = "use `goldcrest run --raw` with this model";
const DIFFERS: &str =
    "another adapter, driver or build sums in another order; see the gap of the two best logits there";
const REPORT: &str =
    "this is a fault in goldcrest or in the graphics driver; please report it with `goldcrest doctor`";

/// What the library's help says in general, by the command's options.
const WORDS: &[(&str, &str)] = &[
    ("E_PROMPT_TOO_LONG", "shorten the prompt, or give a longer context with -c if the model allows it"),
    ("E_EMPTY_PROMPT", "give a prompt with -p, or write it to standard input"),
    ("E_BAD_CONTEXT", "give a smaller -c, or leave it out"),
    ("E_BAD_TOKEN", "`goldcrest tokenize` shows the tokens of a text"),
    ("E_NO_CHAT_TEMPLATE", RAW),
    ("E_KV_FULL", "give a longer context with -c, or shorten the prompt"),
    ("E_KV_TOO_LARGE", "give a smaller -c, or another adapter"),
    ("E_NON_FINITE_LOGITS", "try --adapter cpu: if it fails there too, the file is broken, else the device"),
    (
        "E_WRONG_RESULTS",
        "update the graphics driver, or use --adapter cpu; please report it with `goldcrest doctor --selftest`",
    ),
    ("E_MODEL_UNSUPPORTED_ARCH", "take a model of one of these architectures; `goldcrest list` names some"),
    ("E_MODEL_READ", "check the file and the disk it is on"),
    ("E_NO_ADAPTER", ADAPTERS),
    ("E_DEVICE_REFUSED", ADAPTERS),
    ("E_DEVICE_FEATURE", ADAPTERS),
    ("E_OUT_OF_GPU_MEMORY", "close programs that use the GPU, take a smaller model or -c, or --adapter cpu"),
    (
        "E_DEVICE_LIMIT",
        "this device is too small for the model or context; try a smaller -c or --adapter cpu",
    ),
    ("E_TEMPLATE_REFUSED", "change the messages as it asks, or use --raw"),
    ("E_TEMPLATE_UNSUPPORTED", RAW),
    ("E_TEMPLATE_SYNTAX", RAW),
    ("E_TEMPLATE_LIMIT", RAW),
    ("E_TEMPLATE", RAW),
    ("E_TEMPLATE_INPUT", RANGES),
    ("E_INVALID_PARAMETER", RANGES),
    ("E_UNKNOWN_STRATEGY", STRATEGIES),
    ("E_BAD_STRATEGY", "write it as in --strategy best_of_n:n=4"),
    (
        "E_STRATEGY_NEEDS",
        "give it with --reference TEXT, --other MODEL, --draft-model MODEL, --head FILE or --scorer COMMAND, or take a model that has it; \
         `goldcrest strategies` lists what needs none",
    ),
    ("E_SCORER", "run the command of --scorer by itself, with a text on its standard input"),
    ("E_KERNEL_ENTRY", "an entry is a name of the kernel profile with a value, as in --kernel vec_lanes=8"),
    ("E_BAD_CHAIN", "`goldcrest sample --help` shows how a chain is written"),
    ("E_ENGINE", REPORT),
    ("E_MODEL", REPORT),
    ("E_GPU", REPORT),
];

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
        CliError::NoConsent { .. } => input(
            "E_NO_CONSENT",
            "add --consent-to-send if the prompt may leave this machine, else leave --remote out",
        ),
        CliError::EmptyPrompt => {
            input("E_EMPTY_PROMPT", "give a prompt with -p, or write it to standard input")
        }
        CliError::File { .. } => {
            input("E_FILE", "check the spelling; a path is taken from the current folder")
        }
        CliError::BadFile { .. } => input("E_BAD_FILE", "`goldcrest COMMAND --help` says what it must hold"),
        CliError::Stdin(_) => input("E_STDIN", "give text in UTF-8, or the prompt with -p"),
        CliError::Load(error) => in_words(error.code()),
        CliError::Engine(error) => in_words(ErrorCode::of(error)),
        CliError::Classify(error) => in_words(ErrorCode::of_classify(error)),
        CliError::Differs { .. } => failure("E_DIFFERS", DIFFERS),
        CliError::Decode(error) => in_words(ErrorCode::of_strategy(error)),
        CliError::Grammar(error) => in_words(ErrorCode::of_grammar(error)),
        CliError::Interrupted => INTERRUPTED,
        CliError::Stdout(_) => failure("E_STDOUT", "check the disk or the program that reads the output"),
    }
}

fn in_words(row: ErrorCode) -> Entry {
    if row.code == "E_ABORTED" {
        return INTERRUPTED;
    }
    let words = WORDS.iter().find(|(code, _)| *code == row.code);
    Entry {
        code: row.code,
        exit: 1 + u8::from(row.bad_input),
        help: words.map_or(row.help, |(_, words)| words),
    }
}
