//! Expressions.

use minijinja::machinery::ast::{BinOp, BinOpKind, CompareOpKind, Expr, UnaryOpKind};
use minijinja::value::ValueKind;

use super::Interpreter;
use crate::error::{PromptError, fault};
use crate::methods;
use crate::ops;
use crate::text::{Text, TextBuf};
use crate::value::Value;

/// The left side of a chain of operators. Strings being joined stay open, so that `a + b + c` copies `a` once.
enum Left<'m> {
    Value(Value),
    Open(TextBuf<'m>),
}

impl Left<'_> {
    fn close(self) -> Value {
        match self {
            Left::Value(value) => value,
            Left::Open(text) => Value::Str(text.finish()),
        }
    }
}

impl<'t, 'm> Interpreter<'t, 'm> {
    pub(super) fn eval(&mut self, expr: &'t Expr<'t>) -> Result<Value, PromptError> {
        self.meter.step()?;
        self.meter.enter()?;
        let value = self.eval_kind(expr)?;
        self.meter.leave();
        Ok(value)
    }

    fn eval_kind(&mut self, expr: &'t Expr<'t>) -> Result<Value, PromptError> {
        match expr {
            Expr::Var(var) => self.lookup(var.id),
            Expr::Const(constant) => self.constant(&constant.value),
            Expr::Slice(node) => {
                let value = self.eval(&node.expr)?;
                let start = self.slice_bound(node.start.as_ref())?;
                let stop = self.slice_bound(node.stop.as_ref())?;
                let step = self.slice_bound(node.step.as_ref())?;
                ops::slice(&value, start, stop, step, self.meter)
            }
            Expr::UnaryOp(node) => {
                let value = self.eval(&node.expr)?;
                match node.op {
                    UnaryOpKind::Not => Ok(Value::Bool(!value.is_true())),
                    UnaryOpKind::Neg => ops::negate(&value),
                }
            }
            Expr::BinOp(_) => self.operators(expr),
            Expr::Compare(node) => {
                let mut left = self.eval(&node.expr)?;
                for operand in &node.ops {
                    let right = self.eval(&operand.expr)?;
                    if !self.compare(operand.op, &left, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Expr::IfExpr(node) => {
                if self.eval(&node.test_expr)?.is_true() {
                    return self.eval(&node.true_expr);
                }
                let missing = || Ok(Value::undefined("the else branch"));
                node.false_expr.as_ref().map_or_else(missing, |other| self.eval(other))
            }
            Expr::Filter(node) => {
                let input = match &node.expr {
                    Some(expr) => self.eval(expr)?,
                    None => self.filter_inputs.last().cloned().ok_or_else(|| fault("a filter of nothing"))?,
                };
                let args = self.args(&node.args)?;
                crate::filters::apply(node.name, &input, args, self.meter)
            }
            Expr::Test(node) => {
                let value = self.eval(&node.expr)?;
                let args = self.args(&node.args)?;
                crate::checks::check(node.name, &value, args, self.meter).map(Value::Bool)
            }
            Expr::GetAttr(node) => {
                let value = self.eval(&node.expr)?;
                self.attribute(&value, node.name)
            }
            Expr::GetItem(node) => {
                let value = self.eval(&node.expr)?;
                let key = self.eval(&node.subscript_expr)?;
                self.item(&value, &key)
            }
            Expr::Call(node) => self.call(node),
            Expr::List(node) => {
                let items = self.eval_all(&node.items)?;
                Value::list(items, self.meter)
            }
            Expr::Tuple(node) => {
                let items = self.eval_all(&node.items)?;
                Value::tuple(items, self.meter)
            }
            Expr::Map(node) => {
                let mut entries: Vec<(Value, Value)> = Vec::new();
                for (key, value) in node.keys.iter().zip(&node.values) {
                    let (key, value) = (self.eval(key)?, self.eval(value)?);
                    let mut known = None;
                    for (i, entry) in entries.iter().enumerate() {
                        if entry.0.equals(&key, self.meter)? {
                            known = Some(i);
                        }
                    }
                    match known.and_then(|i| entries.get_mut(i)) {
                        Some(entry) => entry.1 = value,
                        None => entries.push((key, value)),
                    }
                }
                Value::dict(entries, self.meter)
            }
        }
    }

    fn eval_all(&mut self, exprs: &'t [Expr<'t>]) -> Result<Vec<Value>, PromptError> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn constant(&self, value: &minijinja::Value) -> Result<Value, PromptError> {
        match value.kind() {
            ValueKind::None => Ok(Value::None),
            ValueKind::Bool => Ok(Value::Bool(value.is_true())),
            ValueKind::String => {
                let string = value.as_str().unwrap_or_default();
                self.meter.create(string.len())?;
                Ok(Value::literal(string))
            }
            ValueKind::Number if value.is_integer() => {
                value.as_i64().map(Value::Int).ok_or_else(|| fault("an integer outside 64 bits"))
            }
            ValueKind::Number => {
                f64::try_from(value.clone()).map(Value::Float).map_err(|error| fault(error.to_string()))
            }
            kind => Err(fault(format!("a constant of kind {kind}"))),
        }
    }

    fn slice_bound(&mut self, expr: Option<&'t Expr<'t>>) -> Result<Option<i64>, PromptError> {
        let Some(expr) = expr else { return Ok(None) };
        match self.eval(expr)? {
            Value::None => Ok(None),
            value => {
                let wrong = || fault(format!("slice indices must be int, not {}", value.type_name()));
                value.as_int().map(Some).ok_or_else(wrong)
            }
        }
    }

    /// A left-leaning chain of binary operators, from its leftmost operand on, without recursion.
    fn operators(&mut self, expr: &'t Expr<'t>) -> Result<Value, PromptError> {
        let mut chain: Vec<&'t BinOp<'t>> = Vec::new();
        let mut leftmost = expr;
        while let Expr::BinOp(node) = leftmost {
            self.meter.step()?;
            chain.push(node);
            leftmost = &node.left;
        }
        let mut left = Left::Value(self.eval(leftmost)?);
        for node in chain.into_iter().rev() {
            left = self.operator(left, node)?;
        }
        Ok(left.close())
    }

    fn operator(&mut self, left: Left<'m>, node: &'t BinOp<'t>) -> Result<Left<'m>, PromptError> {
        let kind = node.op;
        if let BinOpKind::ScAnd | BinOpKind::ScOr = kind {
            let left = left.close();
            let decided = left.is_true() == matches!(kind, BinOpKind::ScOr);
            return Ok(Left::Value(if decided { left } else { self.eval(&node.right)? }));
        }
        let right = self.eval(&node.right)?;
        if let (BinOpKind::Add, Value::Str(text)) = (kind, &right) {
            match left {
                Left::Open(mut open) => {
                    open.push_text(text)?;
                    return Ok(Left::Open(open));
                }
                Left::Value(Value::Str(start)) => {
                    let mut open = TextBuf::new(self.meter);
                    open.push_text(&start)?;
                    open.push_text(text)?;
                    return Ok(Left::Open(open));
                }
                Left::Value(other) => return ops::add(&other, &right, self.meter).map(Left::Value),
            }
        }
        self.binary(kind, &left.close(), &right).map(Left::Value)
    }

    fn binary(&self, kind: BinOpKind, left: &Value, right: &Value) -> Result<Value, PromptError> {
        let compared = match kind {
            BinOpKind::Eq => CompareOpKind::Eq,
            BinOpKind::Ne => CompareOpKind::Ne,
            BinOpKind::Lt => CompareOpKind::Lt,
            BinOpKind::Lte => CompareOpKind::Lte,
            BinOpKind::Gt => CompareOpKind::Gt,
            BinOpKind::Gte => CompareOpKind::Gte,
            BinOpKind::In => CompareOpKind::In,
            BinOpKind::Add => return ops::add(left, right, self.meter),
            BinOpKind::Sub => return ops::sub(left, right),
            BinOpKind::Mul => return ops::mul(left, right, self.meter),
            BinOpKind::Div => return ops::div(left, right),
            BinOpKind::FloorDiv => return ops::floor_div(left, right),
            BinOpKind::Rem => return ops::rem(left, right, self.meter),
            BinOpKind::Pow => return ops::pow(left, right),
            BinOpKind::Concat => return ops::concat(left, right, self.meter),
            BinOpKind::ScAnd | BinOpKind::ScOr => return Err(fault("a logical operator out of place")),
        };
        self.compare(compared, left, right).map(Value::Bool)
    }

    fn compare(&self, kind: CompareOpKind, left: &Value, right: &Value) -> Result<bool, PromptError> {
        Ok(match kind {
            CompareOpKind::Eq => left.equals(right, self.meter)?,
            CompareOpKind::Ne => !left.equals(right, self.meter)?,
            CompareOpKind::Lt => left.compare(right, self.meter)?.is_lt(),
            CompareOpKind::Lte => left.compare(right, self.meter)?.is_le(),
            CompareOpKind::Gt => left.compare(right, self.meter)?.is_gt(),
            CompareOpKind::Gte => left.compare(right, self.meter)?.is_ge(),
            CompareOpKind::In => ops::contains(right, left, self.meter)?,
            CompareOpKind::NotIn => !ops::contains(right, left, self.meter)?,
        })
    }

    /// `value.name`: a method first, then an item, as Jinja looks.
    pub(super) fn attribute(&self, value: &Value, name: &str) -> Result<Value, PromptError> {
        value.defined()?;
        self.meter.scan(name.len())?;
        if let Some(method) = methods::known(value, name) {
            return Ok(Value::Function(method));
        }
        let found = match value {
            Value::Dict(dict) => dict.get_str(name, self.meter)?,
            Value::Namespace(entries) => {
                let entries = entries.borrow();
                self.meter.scan(8 * entries.len())?;
                entries.iter().find(|entry| entry.0.as_str() == name).map(|entry| entry.1.clone())
            }
            Value::Loop(state) => loop_attribute(state, name),
            _ => None,
        };
        Ok(found.unwrap_or_else(|| Value::undefined(name)))
    }

    /// `value[key]`.
    fn item(&self, value: &Value, key: &Value) -> Result<Value, PromptError> {
        value.defined()?;
        let missing = || Value::undefined(key.as_str().unwrap_or("item"));
        if let Value::Dict(dict) = value {
            return Ok(dict.get(key, self.meter)?.unwrap_or_else(missing));
        }
        if let Some(name) = key.as_str() {
            return self.attribute(value, name);
        }
        let Some(index) = key.as_int() else { return Ok(missing()) };
        let place = |len: usize| {
            let len = i64::try_from(len).unwrap_or(i64::MAX);
            usize::try_from(if index < 0 { index.saturating_add(len) } else { index }).ok()
        };
        Ok(match value {
            Value::List(seq) | Value::Tuple(seq) => {
                place(seq.items.len()).and_then(|i| seq.items.get(i).cloned()).unwrap_or_else(missing)
            }
            Value::Range(range) => {
                place(range.len).filter(|i| *i < range.len).map_or_else(missing, |i| Value::Int(range.at(i)))
            }
            Value::Str(text) => match ops::char_at(text, index, self.meter)? {
                Some(range) => Value::Str(Text::slice(text, range, self.meter)?),
                None => missing(),
            },
            _ => missing(),
        })
    }
}

fn loop_attribute(state: &crate::value::LoopState, name: &str) -> Option<Value> {
    let items = &state.items.items;
    let int = |number: usize| Some(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)));
    let neighbour = |index: Option<usize>| {
        let missing = || Value::undefined("there is no such item");
        Some(index.and_then(|index| items.get(index).cloned()).unwrap_or_else(missing))
    };
    match name {
        "index" => int(state.index0 + 1),
        "index0" => int(state.index0),
        "revindex" => int(items.len() - state.index0),
        "revindex0" => int(items.len() - state.index0 - 1),
        "first" => Some(Value::Bool(state.index0 == 0)),
        "last" => Some(Value::Bool(state.index0 + 1 == items.len())),
        "length" => int(items.len()),
        // Only recursive loops, which are refused, go deeper.
        "depth" => int(1),
        "depth0" => int(0),
        "previtem" => neighbour(state.index0.checked_sub(1)),
        "nextitem" => neighbour(Some(state.index0 + 1)),
        _ => None,
    }
}
