//! The form in which models write calls of tools.

/// How a model writes a call. Its chat template shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolFormat {
    /// `<tool_call>\n{"name": …, "arguments": …}\n</tool_call>`: Hermes, Qwen and many others.
    Hermes,
    /// `{"name": …, "parameters": …}` as the whole answer: Llama 3.
    Llama3,
    /// `{"name": …, "arguments": …}` as the whole answer.
    Json,
}

impl ToolFormat {
    /// The form that a chat template teaches; none if it takes no tools.
    #[must_use]
    pub fn of_template(template: &str) -> Option<Self> {
        if !template.contains("tools") {
            return None;
        }
        if template.contains("<tool_call>") {
            return Some(Self::Hermes);
        }
        let llama = template.contains("<|python_tag|>") || template.contains("\"parameters\": ");
        Some(if llama { Self::Llama3 } else { Self::Json })
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hermes => "hermes",
            Self::Llama3 => "llama3",
            Self::Json => "json",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Hermes, Self::Llama3, Self::Json].into_iter().find(|format| format.name() == name)
    }

    /// The key of a call's arguments.
    #[must_use]
    pub const fn arguments(self) -> &'static str {
        match self {
            Self::Hermes | Self::Json => "arguments",
            Self::Llama3 => "parameters",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ToolFormat;

    #[test]
    fn templates_show_their_form() {
        for (template, format) in [
            ("{% if tools %}<tool_call>", Some(ToolFormat::Hermes)),
            ("{% if tools %}{\"name\": function name, \"parameters\": dictionary}", Some(ToolFormat::Llama3)),
            ("{% if tools is not none %}{{ tools | tojson }}", Some(ToolFormat::Json)),
            ("{{ messages }}", None),
        ] {
            assert_eq!(ToolFormat::of_template(template), format, "{template}");
            assert_eq!(format.and_then(|format| ToolFormat::named(format.name())), format);
        }
    }
}
