//! Calls: functions of the engine, macros of the template, methods.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use minijinja::machinery::ast::{Call, CallArg, Expr};

use super::{Interpreter, SHARED_SCOPES};
use crate::args::{Args, int_or, required_str};
use crate::budget::MAX_DEPTH;
use crate::error::{PromptError, fault, unsupported};
use crate::methods;
use crate::print::to_text;
use crate::text::Text;
use crate::value::{IntRange, Value};

/// Characters of a template's own error message that are kept.
const MAX_MESSAGE: usize = 4096;
/// Longest `range`, as in Jinja's sandbox.
const MAX_RANGE: usize = 100_000;

impl<'t> Interpreter<'t, '_> {
    pub(super) fn call(&mut self, node: &'t Call<'t>) -> Result<Value, PromptError> {
        let callee = match &node.expr {
            Expr::GetAttr(attr) => {
                let target = self.eval(&attr.expr)?;
                let args = self.args(&node.args)?;
                return self.method(&target, attr.name, args);
            }
            other => self.eval(other)?,
        };
        callee.defined()?;
        let args = self.args(&node.args)?;
        self.call_value(&callee, args)
    }

    pub(super) fn args(&mut self, given: &'t [CallArg<'t>]) -> Result<Args, PromptError> {
        let mut args = Args::default();
        for arg in given {
            match arg {
                CallArg::Pos(expr) => args.positional.push(self.eval(expr)?),
                CallArg::Kwarg(name, expr) => {
                    self.meter.create(name.len())?;
                    args.named.push(((*name).to_owned(), self.eval(expr)?));
                }
                CallArg::PosSplat(expr) => {
                    let value = self.eval(expr)?;
                    args.positional.extend(value.items(self.meter)?);
                }
                CallArg::KwargSplat(expr) => {
                    let Value::Dict(dict) = self.eval(expr)? else { return Err(fault("** needs a dict")) };
                    for (key, value) in &dict.entries {
                        let name = required_str(Some(key), "**")?;
                        self.meter.create(name.len())?;
                        self.meter.create_items(2)?;
                        args.named.push((name.to_owned(), value.clone()));
                    }
                }
            }
        }
        Ok(args)
    }

    fn method(&mut self, target: &Value, name: &str, args: Args) -> Result<Value, PromptError> {
        match target {
            Value::Namespace(_) => {
                let callee = self.attribute(target, name)?;
                callee.defined()?;
                self.call_value(&callee, args)
            }
            Value::Loop(state) if name == "cycle" => {
                let count = args.positional.len();
                let chosen = state.index0.checked_rem(count).and_then(|i| args.positional.get(i).cloned());
                chosen.ok_or_else(|| fault("cycle of nothing"))
            }
            _ => methods::call(target, name, args, self.meter),
        }
    }

    fn call_value(&mut self, callee: &Value, args: Args) -> Result<Value, PromptError> {
        match callee {
            Value::Macro(index) => self.call_macro(*index, args),
            Value::Function(name) => self.call_function(name, args),
            other => Err(fault(format!("{:?} object is not callable", other.type_name()))),
        }
    }

    fn call_function(&mut self, name: &'static str, args: Args) -> Result<Value, PromptError> {
        match name {
            "range" => range(args).map(|range| Value::Range(Rc::new(range))),
            "dict" | "namespace" => {
                let [given] =
                    Args { positional: args.positional, named: Vec::new() }.bind(name, ["mapping"])?;
                let mut entries = match given {
                    None => Vec::new(),
                    Some(Value::Dict(dict)) => dict.entries.clone(),
                    Some(other) => return Err(fault(format!("{name} of a {}", other.type_name()))),
                };
                for (key, value) in args.named {
                    entries.retain(|entry| entry.0.as_str() != Some(key.as_str()));
                    entries.push((Value::literal(&key), value));
                }
                let dict = Value::dict(entries, self.meter)?;
                if name == "dict" { Ok(dict) } else { self.namespace(&dict) }
            }
            "raise_exception" => {
                let [message] = args.bind(name, ["message"])?;
                let message = to_text(&message.unwrap_or(Value::None), self.meter)?;
                let message = message.as_str().chars().take(MAX_MESSAGE).collect();
                Err(PromptError::Raised { message })
            }
            "strftime_now" => {
                let [format] = args.bind(name, ["format"])?;
                let format = required_str(format.as_ref(), name)?;
                let now = self.now.ok_or_else(|| fault("\"strftime_now\" is undefined"))?;
                // No conversion is longer than 10 bytes for its 2.
                self.meter.create(format.len().saturating_mul(5))?;
                Ok(Value::literal(&now.format(format)?))
            }
            _ => Err(unsupported(format!("a method kept as a value, {name:?}"))),
        }
    }

    fn namespace(&self, dict: &Value) -> Result<Value, PromptError> {
        let Value::Dict(dict) = dict else { return Err(fault("namespace of no dict")) };
        let mut entries = Vec::new();
        for (key, value) in &dict.entries {
            if value.depth() >= MAX_DEPTH / 2 {
                return Err(PromptError::TooDeep { limit: MAX_DEPTH / 2 });
            }
            let name = required_str(Some(key), "namespace")?;
            self.meter.create(name.len())?;
            entries.push((Text::literal(name), value.clone()));
        }
        Ok(Value::Namespace(Rc::new(RefCell::new(entries))))
    }

    /// Runs a macro with the inputs and the template's top level in sight, but not the caller's own scopes.
    fn call_macro(&mut self, index: usize, args: Args) -> Result<Value, PromptError> {
        let node = *self.macros.get(index).ok_or_else(|| fault("no such macro"))?;
        if args.positional.len() > node.args.len() {
            return Err(fault(format!("macro {:?} takes at most {} arguments", node.name, node.args.len())));
        }
        let callers = self.scopes.split_off(SHARED_SCOPES.min(self.scopes.len()));
        self.scopes.push(HashMap::new());
        let mut positional = args.positional.into_iter();
        let mut named = args.named;
        let first_default = node.args.len() - node.defaults.len().min(node.args.len());
        for (i, parameter) in node.args.iter().enumerate() {
            let Expr::Var(parameter) = parameter else {
                return Err(fault("a macro parameter without a name"));
            };
            let by_name = named.iter().position(|(name, _)| name == parameter.id);
            let value = match (positional.next(), by_name) {
                (Some(_), Some(_)) => return Err(fault(format!("{:?} is given twice", parameter.id))),
                (Some(value), None) => value,
                (None, Some(at)) => named.swap_remove(at).1,
                (None, None) => match i.checked_sub(first_default).and_then(|i| node.defaults.get(i)) {
                    Some(default) => self.eval(default)?,
                    None => Value::undefined(parameter.id),
                },
            };
            self.define(parameter.id, value)?;
        }
        if let Some((name, _)) = named.first() {
            return Err(fault(format!("macro {:?} has no parameter {name:?}", node.name)));
        }
        let text = self.capture(|this| this.block(&node.body).map(drop))?;
        self.scopes.truncate(SHARED_SCOPES);
        self.scopes.extend(callers);
        Ok(Value::Str(text))
    }
}

fn range(args: Args) -> Result<IntRange, PromptError> {
    let given = args.positional.len();
    let [first, second, step] = args.bind("range", ["start", "stop", "step"])?;
    let (start, stop) = match given {
        0 => return Err(fault("range needs an argument")),
        1 => (0, int_or(&first, 0, "range")?),
        _ => (int_or(&first, 0, "range")?, int_or(&second, 0, "range")?),
    };
    let step = int_or(&step, 1, "range")?;
    if step == 0 {
        return Err(fault("range step cannot be zero"));
    }
    let distance =
        if step > 0 { i128::from(stop) - i128::from(start) } else { i128::from(start) - i128::from(stop) };
    let stride = i128::from(step.unsigned_abs());
    let len = if distance <= 0 { 0 } else { (distance + stride - 1) / stride };
    match usize::try_from(len) {
        Ok(len) if len <= MAX_RANGE => Ok(IntRange { start, step, len }),
        _ => Err(fault(format!("range too big, at most {MAX_RANGE} items"))),
    }
}
