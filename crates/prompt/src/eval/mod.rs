//! Runs a parsed template.
//!
//! The syntax tree comes from minijinja's parser. Its virtual machine is not used: it counts steps but not bytes, and
//! its operators on strings cannot be replaced, so a template of 120 bytes can allocate gigabytes; nor does it know
//! where a character came from. Here every operation asks the [`Meter`] first, and strings carry their origin.

mod call;
mod expr;

use std::collections::HashMap;
use std::rc::Rc;

use minijinja::machinery::ast::{Expr, ForLoop, IfCond, Macro, Set, SetBlock, Stmt};

use crate::budget::{MAX_DEPTH, Meter};
use crate::error::{PromptError, fault, unsupported};
use crate::print::write_str;
use crate::strftime::LocalTime;
use crate::text::{Text, TextBuf};
use crate::value::{LoopState, Seq, Value};

/// Functions that templates may call.
pub const FUNCTIONS: [&str; 5] = ["dict", "namespace", "raise_exception", "range", "strftime_now"];

/// Scopes below this one are visible inside macros: the inputs and the template's own top level.
const SHARED_SCOPES: usize = 2;

/// How a block of statements ended.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// One run of a template.
pub(crate) struct Interpreter<'t, 'm> {
    meter: &'m Meter,
    now: Option<LocalTime>,
    /// Innermost last; the first holds the inputs.
    scopes: Vec<HashMap<&'t str, Value>>,
    /// The output, and behind it the captures being made.
    outputs: Vec<TextBuf<'m>>,
    macros: Vec<&'t Macro<'t>>,
    /// What a filter without an expression of its own works on, innermost last.
    filter_inputs: Vec<Value>,
}

impl<'t, 'm> Interpreter<'t, 'm> {
    pub(crate) fn new(inputs: HashMap<&'t str, Value>, now: Option<LocalTime>, meter: &'m Meter) -> Self {
        Self {
            meter,
            now,
            scopes: vec![inputs, HashMap::new()],
            outputs: Vec::new(),
            macros: Vec::new(),
            filter_inputs: Vec::new(),
        }
    }

    /// The template's output.
    pub(crate) fn run(&mut self, template: &'t Stmt<'t>) -> Result<Text, PromptError> {
        let Stmt::Template(template) = template else { return Err(unsupported("a lone statement")) };
        self.capture(|this| this.block(&template.children).map(drop))
    }

    fn capture(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<(), PromptError>,
    ) -> Result<Text, PromptError> {
        self.outputs.push(TextBuf::new(self.meter));
        body(self)?;
        self.outputs.pop().map(TextBuf::finish).ok_or_else(|| fault("no output"))
    }

    fn emit(
        &mut self,
        write: impl FnOnce(&mut TextBuf<'m>) -> Result<(), PromptError>,
    ) -> Result<(), PromptError> {
        self.outputs.last_mut().map_or_else(|| Err(fault("no output")), write)
    }

    fn block(&mut self, statements: &'t [Stmt<'t>]) -> Result<Flow, PromptError> {
        for statement in statements {
            self.meter.step()?;
            self.meter.enter()?;
            let flow = self.statement(statement)?;
            self.meter.leave();
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &'t Stmt<'t>) -> Result<Flow, PromptError> {
        match statement {
            Stmt::Template(template) => return self.block(&template.children),
            Stmt::EmitRaw(raw) => self.emit(|out| out.push(raw.raw, false))?,
            Stmt::EmitExpr(emit) => {
                let value = self.eval(&emit.expr)?;
                self.emit(|out| write_str(&value, out))?;
            }
            Stmt::ForLoop(node) => self.for_loop(node)?,
            Stmt::IfCond(node) => return self.if_cond(node),
            Stmt::WithBlock(node) => {
                self.scopes.push(HashMap::new());
                for (target, expr) in &node.assignments {
                    let value = self.eval(expr)?;
                    self.assign(target, value)?;
                }
                let flow = self.block(&node.body)?;
                self.scopes.pop();
                return Ok(flow);
            }
            Stmt::Set(node) => self.set(node)?,
            Stmt::SetBlock(node) => self.set_block(node)?,
            Stmt::AutoEscape(node) => return self.block(&node.body),
            Stmt::FilterBlock(node) => {
                let text = self.capture(|this| this.block(&node.body).map(drop))?;
                self.filter_inputs.push(Value::Str(text));
                let value = self.eval(&node.filter)?;
                self.filter_inputs.pop();
                self.emit(|out| write_str(&value, out))?;
            }
            Stmt::Macro(node) => {
                let index = self.macros.len();
                self.meter.create_items(2)?;
                self.macros.push(node);
                self.define(node.name, Value::Macro(index))?;
            }
            Stmt::CallBlock(_) => return Err(unsupported("{% call %}")),
            Stmt::Continue(_) => return Ok(Flow::Continue),
            Stmt::Break(_) => return Ok(Flow::Break),
            Stmt::Do(node) => drop(self.call(&node.call)?),
        }
        Ok(Flow::Next)
    }

    /// A chain of `elif` is walked, not nested.
    fn if_cond(&mut self, first: &'t IfCond<'t>) -> Result<Flow, PromptError> {
        let mut node = first;
        loop {
            if self.eval(&node.expr)?.is_true() {
                return self.block(&node.true_body);
            }
            match node.false_body.as_slice() {
                [Stmt::IfCond(next)] => node = next,
                other => return self.block(other),
            }
            self.meter.step()?;
        }
    }

    fn for_loop(&mut self, node: &'t ForLoop<'t>) -> Result<(), PromptError> {
        if node.recursive {
            return Err(unsupported("a recursive loop"));
        }
        let iterated = self.eval(&node.iter)?;
        let mut items = iterated.items(self.meter)?;
        if let Some(condition) = &node.filter_expr {
            let mut kept = Vec::new();
            for item in items {
                self.scopes.push(HashMap::new());
                self.assign(&node.target, item.clone())?;
                if self.eval(condition)?.is_true() {
                    kept.push(item);
                }
                self.scopes.pop();
            }
            items = kept;
        }
        if items.is_empty() {
            self.scopes.push(HashMap::new());
            self.block(&node.else_body)?;
            self.scopes.pop();
            return Ok(());
        }
        let items = Rc::new(Seq::new(items, self.meter)?);
        for (index0, item) in items.items.iter().enumerate() {
            self.meter.step()?;
            self.scopes.push(HashMap::new());
            self.define("loop", Value::Loop(Rc::new(LoopState { items: Rc::clone(&items), index0 })))?;
            self.assign(&node.target, item.clone())?;
            let flow = self.block(&node.body)?;
            self.scopes.pop();
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    fn set(&mut self, node: &'t Set<'t>) -> Result<(), PromptError> {
        let value = self.eval(&node.expr)?;
        self.assign(&node.target, value)
    }

    fn set_block(&mut self, node: &'t SetBlock<'t>) -> Result<(), PromptError> {
        let mut value = Value::Str(self.capture(|this| this.block(&node.body).map(drop))?);
        if let Some(filter) = &node.filter {
            self.filter_inputs.push(value);
            value = self.eval(filter)?;
            self.filter_inputs.pop();
        }
        self.assign(&node.target, value)
    }

    fn assign(&mut self, target: &'t Expr<'t>, value: Value) -> Result<(), PromptError> {
        match target {
            Expr::Var(var) => self.define(var.id, value)?,
            Expr::Tuple(tuple) => self.unpack(&tuple.items, &value)?,
            Expr::List(list) => self.unpack(&list.items, &value)?,
            Expr::GetAttr(attr) => {
                let Value::Namespace(namespace) = self.eval(&attr.expr)? else {
                    return Err(fault("attributes can only be set on a namespace"));
                };
                // Half the depth stays free for what holds the namespace; and a namespace in a namespace would make
                // a ring, which counting references never frees.
                if value.depth() >= MAX_DEPTH / 2 {
                    return Err(PromptError::TooDeep { limit: MAX_DEPTH / 2 });
                }
                let mut entries = namespace.borrow_mut();
                self.meter.scan(8 * entries.len())?;
                match entries.iter_mut().find(|entry| entry.0.as_str() == attr.name) {
                    Some(entry) => entry.1 = value,
                    None => {
                        self.meter.create_items(2)?;
                        self.meter.create(attr.name.len())?;
                        entries.push((Text::literal(attr.name), value));
                    }
                }
            }
            _ => return Err(fault("this cannot be assigned to")),
        }
        Ok(())
    }

    fn unpack(&mut self, targets: &'t [Expr<'t>], value: &Value) -> Result<(), PromptError> {
        value.defined()?;
        let items = value.items(self.meter)?;
        if items.len() != targets.len() {
            return Err(fault(format!("{} values to unpack into {}", items.len(), targets.len())));
        }
        targets.iter().zip(items).try_for_each(|(target, item)| self.assign(target, item))
    }

    fn define(&mut self, name: &'t str, value: Value) -> Result<(), PromptError> {
        self.meter.scan(name.len())?;
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, value);
        }
        Ok(())
    }

    fn lookup(&self, name: &str) -> Result<Value, PromptError> {
        self.meter.scan(name.len().saturating_mul(self.scopes.len()))?;
        let found = self.scopes.iter().rev().find_map(|scope| scope.get(name));
        if let Some(value) = found {
            return Ok(value.clone());
        }
        let function = FUNCTIONS.iter().find(|function| **function == name);
        Ok(match function {
            Some(&"strftime_now") if self.now.is_none() => Value::undefined(name),
            Some(function) => Value::Function(function),
            None => Value::undefined(name),
        })
    }
}
