//! Formats of strings: those that the compiler writes exactly, those that are written out here, and no others.

/// Days of a month that every year has.
const DAYS: &str = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])";
/// Years that have a 29 February: divisible by 4, and by 400 if by 100.
const LEAP: &str = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
/// Leap seconds are left out: which minute has one is not a matter of form.
const TIME: &str = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?";
const ZONE: &str = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";

/// A character of the part before an address's @.
const ATOM: &str = "[a-zA-Z0-9!#$%&'*+/=?_`{|}~-]";

/// How a format is enforced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// By the compiler.
    Known,
    /// By this expression.
    Pattern(String),
    /// Not at all.
    Unknown,
}

/// How the format of this name is enforced.
pub(super) fn format(name: &str) -> Format {
    match name {
        "date" => Format::Pattern(format!("^{}$", date())),
        "time" => Format::Pattern(format!("^{TIME}{ZONE}$")),
        "date-time" => Format::Pattern(format!("^{}T{TIME}{ZONE}$", date())),
        // One label of a name may have 63 characters; four of them stay below the 253 of the whole.
        "hostname" => Format::Pattern(format!("^{}$", hostname())),
        // Two dots before the @ at most, so that it stays below 64 characters.
        "email" => Format::Pattern(format!("^{ATOM}{{1,32}}(?:\\.{ATOM}{{1,15}}){{0,2}}@{}$", hostname())),
        // No zone of RFC 6874, no embedded IPv4: all written out or shortened once.
        "ipv6" => Format::Pattern(format!("^(?:{})$", ipv6())),
        "ipv4" | "uuid" | "uri" | "duration" => Format::Known,
        _ => Format::Unknown,
    }
}

fn date() -> String {
    format!("(?:[0-9]{{4}}-(?:{DAYS})|{LEAP}-02-29)")
}

fn hostname() -> String {
    const LABEL: &str = "[a-zA-Z](?:[a-zA-Z0-9]{0,61}[a-zA-Z0-9])?";
    format!("{LABEL}(?:\\.{LABEL}){{0,3}}")
}

fn ipv6() -> String {
    const GROUP: &str = "[0-9a-fA-F]{1,4}";
    let mut forms = vec![format!("(?:{GROUP}:){{7}}{GROUP}"), "::".to_owned()];
    for before in 0..7 {
        // At least one group is left out.
        let after = 6 - before;
        let head = match before {
            0 => "::".to_owned(),
            1 => format!("{GROUP}::"),
            n => format!("(?:{GROUP}:){{{n}}}:"),
        };
        let tail = match after {
            0 => String::new(),
            n => format!("(?:{GROUP}(?::{GROUP}){{0,{}}})?", n - 1),
        };
        forms.push(format!("{head}{tail}"));
    }
    forms.join("|")
}
