//! A conversation as the chat template takes it.

use goldcrest::prompt::RenderInput;
use serde_json::Value;

use crate::error::Failure;
use crate::fields::{Fields, refused};

/// `{messages, tools?, documents?, add_generation_prompt?}`; what else there is goes to the template.
pub(crate) fn conversation(mut fields: Fields) -> Result<RenderInput, Failure> {
    let messages = fields.any("messages");
    let messages = messages.ok_or_else(|| refused("messages", &Value::Null, "a list of messages"))?;
    let (tools, documents) = (fields.any("tools"), fields.any("documents"));
    let add_generation_prompt = fields.flag("add_generation_prompt")?.unwrap_or(true);
    let extra = fields.rest();
    Ok(RenderInput { messages, tools, documents, add_generation_prompt, extra, ..RenderInput::default() })
}
