//! Validates one WGSL text with naga, and reads from it what the host has to know.

use super::ShaderError;
use super::expand::Expanded;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Handle, Literal, Module, ShaderStage, StorageAccess, TypeInner};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

/// WebGPU's default limits, which every kernel keeps at its default sizes: 256 invocations, 16 KiB of workgroup
/// memory, and 8 storage buffers less the one that wgpu takes on Metal to pass buffer lengths.
const MAX_INVOCATIONS: u32 = 256;
const MAX_WORKGROUP_BYTES: u32 = 16 * 1024;
const MAX_STORAGE_BUFFERS: usize = 7;

/// An optional feature of a device.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// 16-bit arithmetic.
    F16,
    /// Subgroup operations.
    Subgroups,
    /// Packed 4x8 integer dot products and packing.
    PackedDot,
}

impl Feature {
    /// The name in WebGPU, of a feature of the device or of the language.
    pub fn web_name(self) -> &'static str {
        match self {
            Self::F16 => "shader-f16",
            Self::Subgroups => "subgroups",
            Self::PackedDot => "packed_4x8_integer_dot_product",
        }
    }

    /// The directive that the text must open with, where naga accepts one: it refuses `enable subgroups;`, which
    /// browsers want, so the device adds that one.
    pub fn directive(self) -> &'static str {
        match self {
            Self::F16 => "enable f16;\n",
            Self::Subgroups => "",
            Self::PackedDot => "requires packed_4x8_integer_dot_product;\n",
        }
    }
}

/// What the host has to know of one shader.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reflection {
    pub(super) workgroup_size: [u32; 3],
    pub(super) workgroup_bytes: u32,
    pub(super) bindings: Vec<Binding>,
    pub(super) uniform: Vec<Field>,
    pub(super) overrides: Vec<(String, Option<f64>)>,
    pub(super) needs: Vec<Feature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) min_size: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) offset: u32,
    pub(super) size: u32,
}

/// Validates `code` as written, with what its own words show it to need.
///
/// # Errors
/// If naga refuses it, at the line of the source file.
pub(super) fn validate(code: &Expanded) -> Result<(), ShaderError> {
    compile(code, &needs(code)).map(|_| ())
}

/// Validates `code` with `values` put in for overrides, and describes it.
///
/// # Errors
/// If naga refuses it, if it breaks a default limit of WebGPU, or if it binds something that we never bind.
pub(super) fn reflect(code: &Expanded, values: &BTreeMap<String, f64>) -> Result<Reflection, ShaderError> {
    let needs = needs(code);
    let (module, info) = compile(code, &needs)?;
    let [entry] = module.entry_points.as_slice() else {
        return Err(ShaderError::Rule("wants exactly one entry point".into()));
    };
    if entry.stage != ShaderStage::Compute || entry.name != "main" {
        return Err(ShaderError::Rule("its entry point is not a compute `main`".into()));
    }
    let constants: naga::back::PipelineConstants = values
        .iter()
        .filter(|(name, _)| module.overrides.iter().any(|(_, o)| o.name.as_ref() == Some(name)))
        .map(|(name, value)| (name.clone(), *value))
        .collect();
    let (resolved, _) = naga::back::pipeline_constants::process_overrides(
        &module,
        &info,
        Some((ShaderStage::Compute, "main")),
        &constants,
    )
    .map_err(|e| ShaderError::Rule(format!("with its override values: {}", chain(&e))))?;
    let reflection = Reflection {
        workgroup_size: resolved.entry_points.first().map_or([1; 3], |e| e.workgroup_size),
        workgroup_bytes: workgroup_bytes(&resolved),
        bindings: bindings(&module)?,
        uniform: uniform(&module)?,
        overrides: overrides(&module, &resolved)?,
        needs: needs.into_iter().collect(),
    };
    check_limits(&reflection)?;
    Ok(reflection)
}

fn compile(
    code: &Expanded,
    needs: &BTreeSet<Feature>,
) -> Result<(Module, naga::valid::ModuleInfo), ShaderError> {
    let header: String = needs.iter().map(|n| n.directive()).collect();
    let text = header.clone() + &code.text();
    let place = |span: Option<naga::SourceLocation>, message: String| {
        let skipped = header.matches('\n').count();
        let line = span.map_or(0, |s| (s.line_number as usize).saturating_sub(skipped));
        match code.origin(line) {
            Some((file, line)) => ShaderError::source(file, line, message),
            None => ShaderError::Rule(message),
        }
    };
    let module = naga::front::wgsl::parse_str(&text).map_err(|e| {
        let labels: Vec<_> =
            e.labels().map(|(_, label)| label.to_owned()).filter(|l| !l.is_empty()).collect();
        place(e.location(&text), format!("{e} ({})", labels.join("; ")))
    })?;
    let mut allowed = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    allowed.set(Capabilities::SHADER_FLOAT16, needs.contains(&Feature::F16));
    allowed.set(Capabilities::SUBGROUP, needs.contains(&Feature::Subgroups));
    let info = Validator::new(ValidationFlags::all(), allowed).validate(&module).map_err(|e| {
        let spans: Vec<_> = e.spans().map(|(_, label)| label.clone()).collect();
        // The first span is the innermost: the expression, not the function around it.
        place(e.location(&text), format!("{} ({})", chain(e.as_inner()), spans.join("; ")))
    })?;
    Ok((module, info))
}

fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn needs(code: &Expanded) -> BTreeSet<Feature> {
    code.words().iter().filter_map(|word| feature_of(word)).collect()
}

fn feature_of(word: &str) -> Option<Feature> {
    let after = |prefix| word.strip_prefix(prefix).and_then(|rest: &str| rest.chars().next());
    match word {
        "f16" | "vec2h" | "vec3h" | "vec4h" => Some(Feature::F16),
        "subgroup_size" | "subgroup_id" | "subgroup_invocation_id" | "num_subgroups" => {
            Some(Feature::Subgroups)
        }
        "dot4I8Packed" | "dot4U8Packed" => Some(Feature::PackedDot),
        _ if after("pack4x").or(after("unpack4x")).is_some_and(|c| matches!(c, 'I' | 'U')) => {
            Some(Feature::PackedDot)
        }
        _ if after("subgroup").or(after("quad")).is_some_and(|c| c.is_ascii_uppercase()) => {
            Some(Feature::Subgroups)
        }
        _ if word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with('h') => Some(Feature::F16),
        _ => None,
    }
}

fn bindings(module: &Module) -> Result<Vec<Binding>, ShaderError> {
    let mut out = Vec::new();
    for (_, var) in module.global_variables.iter() {
        let Some(at) = &var.binding else { continue };
        let name = var.name.clone().unwrap_or_default();
        if at.group != 0 {
            return Err(ShaderError::Rule(format!(
                "`{name}` is in group {}: only group 0 is used",
                at.group
            )));
        }
        let kind = match var.space {
            AddressSpace::Uniform => "Uniform",
            AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => "ReadWrite",
            AddressSpace::Storage { .. } => "Read",
            _ => return Err(ShaderError::Rule(format!("`{name}` is not a buffer"))),
        };
        let min_size = size_of(module, var.ty);
        out.push(Binding { index: at.binding, name, kind, min_size });
    }
    out.sort_by_key(|b| b.index);
    if let Some(pair) = out.windows(2).find(|pair| pair[0].index == pair[1].index) {
        return Err(ShaderError::Rule(format!("binding {} is used twice", pair[0].index)));
    }
    if let Some(early) = out.iter().rev().skip(1).find(|b| b.kind == "Uniform") {
        return Err(ShaderError::Rule(format!("`{}` has to be the last binding, or no uniform", early.name)));
    }
    Ok(out)
}

fn uniform(module: &Module) -> Result<Vec<Field>, ShaderError> {
    let mut blocks = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::Uniform);
    let Some((_, var)) = blocks.next() else { return Ok(Vec::new()) };
    if blocks.next().is_some() {
        return Err(ShaderError::Rule("has two uniform blocks: one is all that a plan writes".into()));
    }
    let TypeInner::Struct { members, .. } = &module.types[var.ty].inner else {
        return Err(ShaderError::Rule("its uniform block is not a struct".into()));
    };
    let field = |m: &naga::StructMember| Field {
        name: m.name.clone().unwrap_or_default(),
        offset: m.offset,
        size: size_of(module, m.ty),
    };
    Ok(members.iter().map(field).collect())
}

fn overrides(module: &Module, resolved: &Module) -> Result<Vec<(String, Option<f64>)>, ShaderError> {
    let mut out = Vec::new();
    for (_, o) in module.overrides.iter() {
        let name = o.name.clone().unwrap_or_default();
        if o.id.is_some() {
            return Err(ShaderError::Rule(format!("override `{name}` has an @id: overrides go by name")));
        }
        let default = match o.init {
            None => None,
            Some(init) => {
                let folded = resolved.constants.iter().find(|(_, c)| c.name.as_ref() == Some(&name));
                let value = literal(module, init).or_else(|| literal(resolved, folded?.1.init));
                let unknown =
                    || ShaderError::Rule(format!("override `{name}` is derived, but nothing uses it"));
                Some(value.ok_or_else(unknown)?)
            }
        };
        out.push((name, default));
    }
    Ok(out)
}

fn literal(module: &Module, init: Handle<Expression>) -> Option<f64> {
    match module.global_expressions[init] {
        Expression::Literal(Literal::U32(v)) => Some(f64::from(v)),
        Expression::Literal(Literal::I32(v)) => Some(f64::from(v)),
        Expression::Literal(Literal::F32(v)) => Some(f64::from(v)),
        Expression::Literal(Literal::Bool(v)) => Some(f64::from(u8::from(v))),
        _ => None,
    }
}

/// As the WebGPU specification counts: each variable rounded up to 16 bytes.
fn workgroup_bytes(module: &Module) -> u32 {
    let vars = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::WorkGroup);
    vars.map(|(_, v)| size_of(module, v.ty).next_multiple_of(16)).sum()
}

/// Size in bytes; a run-time sized array counts as one element.
fn size_of(module: &Module, ty: Handle<naga::Type>) -> u32 {
    module.types[ty].inner.try_size(module.to_ctx()).unwrap_or(0)
}

fn check_limits(r: &Reflection) -> Result<(), ShaderError> {
    let invocations: u32 = r.workgroup_size.iter().product();
    let storage = r.bindings.iter().filter(|b| b.kind != "Uniform").count();
    if invocations > MAX_INVOCATIONS {
        return Err(ShaderError::Rule(format!("{invocations} invocations exceed {MAX_INVOCATIONS}")));
    }
    if r.workgroup_bytes > MAX_WORKGROUP_BYTES {
        let message = format!("{} bytes of workgroup memory exceed {MAX_WORKGROUP_BYTES}", r.workgroup_bytes);
        return Err(ShaderError::Rule(message));
    }
    if storage > MAX_STORAGE_BUFFERS {
        let message = format!("{storage} storage buffers exceed {MAX_STORAGE_BUFFERS}: pack the small ones");
        return Err(ShaderError::Rule(message));
    }
    Ok(())
}
