//! Reads the machine's own apt sources, to ask the same mirror for its backports.

/// One source of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AptSource {
    /// Where it is.
    pub uri: String,
    /// Its suites.
    pub suites: Vec<String>,
    /// Its `Signed-By`, if it has one.
    pub signed_by: Option<String>,
}

/// The binary package sources of one file: one-line (`.list`) or stanzas (`.sources`).
pub fn sources_of(text: &str) -> Vec<AptSource> {
    let lines = text.lines().filter_map(one_line);
    let stanzas = text.split("\n\n").flat_map(stanza);
    lines.chain(stanzas).collect()
}

/// A `.sources` stanza for the backports of `codename`, from the first source that has `codename` itself; `None` if no source
/// has it, or one already has the backports.
pub fn backports_of(sources: &[AptSource], codename: &str) -> Option<String> {
    let suite = format!("{codename}-backports");
    if sources.iter().any(|s| s.suites.contains(&suite)) {
        return None;
    }
    let base = sources.iter().find(|s| s.suites.iter().any(|suite| suite == codename))?;
    let signed = base.signed_by.as_ref().map(|key| format!("Signed-By: {key}\n")).unwrap_or_default();
    Some(format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n{signed}", base.uri))
}

fn one_line(line: &str) -> Option<AptSource> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    let signed_by = options.split_whitespace().find_map(|o| o.strip_prefix("signed-by="));
    Some(AptSource {
        uri: uri.to_owned(),
        suites: vec![suite.to_owned()],
        signed_by: signed_by.map(str::to_owned),
    })
}

fn stanza(text: &str) -> Option<AptSource> {
    let field = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    };
    let enabled = field("Enabled").is_none_or(|v| !v.eq_ignore_ascii_case("no"));
    let binary = field("Types")?.split_whitespace().any(|t| t == "deb");
    let source = AptSource {
        uri: field("URIs")?.split_whitespace().next()?.to_owned(),
        suites: field("Suites")?.split_whitespace().map(str::to_owned).collect(),
        signed_by: field("Signed-By").filter(|key| !key.is_empty()).map(str::to_owned),
    };
    (enabled && binary).then_some(source)
}

#[cfg(test)]
mod tests {
    use super::{AptSource, backports_of, sources_of};

    fn source(uri: &str, suites: &[&str], signed_by: Option<&str>) -> AptSource {
        let suites = suites.iter().map(|&s| s.to_owned()).collect();
        AptSource { uri: uri.to_owned(), suites, signed_by: signed_by.map(str::to_owned) }
    }

    const STANZAS: &str = "\
Types: deb deb-src\n# a comment: here\nURIs: https://mirror.example/debian\nSuites: bookworm bookworm-updates\n\
Components: main\nSigned-By: /keys/debian.gpg\n\nTypes: deb-src\nURIs: https://other.example/\nSuites: bookworm\n\n\
Enabled: no\nTypes: deb\nURIs: https://off.example/\nSuites: bookworm\n";

    #[test]
    fn both_formats_are_read() {
        assert_eq!(
            sources_of(STANZAS),
            [source(
                "https://mirror.example/debian",
                &["bookworm", "bookworm-updates"],
                Some("/keys/debian.gpg")
            )]
        );
        let lines = "# deb https://old.example/ x main\ndeb https://a.example/d bookworm main\n\
                     deb [arch=amd64 signed-by=/k.gpg] https://b.example/d bookworm-security main\n\
                     deb-src https://c.example/ bookworm main\n";
        assert_eq!(
            sources_of(lines),
            [
                source("https://a.example/d", &["bookworm"], None),
                source("https://b.example/d", &["bookworm-security"], Some("/k.gpg")),
            ]
        );
    }

    #[test]
    fn backports_come_from_the_mirror_that_has_the_release() {
        let mut sources = sources_of("deb https://other.example/x nodistro main\n");
        assert_eq!(backports_of(&sources, "bookworm"), None);
        sources.extend(sources_of(STANZAS));
        let wanted = "Types: deb\nURIs: https://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n\
                      Signed-By: /keys/debian.gpg\n";
        assert_eq!(backports_of(&sources, "bookworm").as_deref(), Some(wanted));
        sources.extend(sources_of(wanted));
        assert_eq!(backports_of(&sources, "bookworm"), None);
    }
}
