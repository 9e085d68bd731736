//! Tables of files, each with the verdict it must get.

use goldcrest_gguf::{Gguf, GgufError};

use crate::verdict::verdict;

/// One row of a table of files.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) file: Vec<u8>,
    pub(crate) want: &'static str,
    pub(crate) fits: fn(&Result<Gguf, GgufError>) -> bool,
}

/// A file that must be refused with an error of this pattern.
macro_rules! refused {
    ($name:expr, $file:expr, $variant:pat $(if $guard:expr)?) => {
        crate::table::Case {
            name: $name.to_string(),
            file: $file,
            want: stringify!($variant $(if $guard)?),
            fits: |result| matches!(result, Err($variant) $(if $guard)?),
        }
    };
}
pub(crate) use refused;

/// A file that must be accepted.
pub(crate) fn accepted(name: impl ToString, file: Vec<u8>) -> Case {
    Case { name: name.to_string(), file, want: "Ok", fits: |result| result.is_ok() }
}

/// Runs a table; all rows are tried before the test fails.
pub(crate) fn run(cases: &[Case]) {
    let mut failures = Vec::new();
    for case in cases {
        let got = verdict(&case.file);
        if !(case.fits)(&got) {
            let got = got.map(|_| "Ok");
            failures.push(format!("{}: wanted {}, got {got:?}", case.name, case.want));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
