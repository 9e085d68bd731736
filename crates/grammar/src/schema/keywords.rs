//! The keywords of all drafts, and what becomes of each.

/// What a keyword holds, or why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// Enforced; its value holds no schema.
    Enforced,
    /// Says nothing about which values are right.
    Annotation,
    /// Enforced; a schema.
    Schema,
    /// Enforced; a list of schemas.
    Schemas,
    /// Enforced; a schema or a list of them.
    SchemaOrSchemas,
    /// Enforced; an object whose values are schemas.
    SchemaMap,
    /// Enforced; a reference to a schema.
    Reference,
    /// Cannot be enforced while tokens are chosen from left to right.
    Refused(&'static str),
}

const NOT_REGULAR: &str = "what a value must not be cannot be enforced token by token";
const CONDITION: &str = "conditions on other parts of a value cannot be enforced token by token";
const LOOKS_BACK: &str = "it depends on items or keys written before";
const DYNAMIC: &str = "references that depend on the path taken are not followed";

/// What becomes of a keyword; none for names that no draft knows, which are annotations by the standard.
pub(super) fn keyword(name: &str) -> Option<Keyword> {
    use Keyword as K;
    Some(match name {
        "type" | "const" | "enum" | "minItems" | "maxItems" | "required" | "minProperties"
        | "maxProperties" | "minLength" | "maxLength" | "pattern" | "format" | "minimum" | "maximum"
        | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => K::Enforced,
        "$anchor" | "$schema" | "$id" | "id" | "$comment" | "$vocabulary" | "title" | "description"
        | "default" | "readOnly" | "writeOnly" | "deprecated" | "examples" | "contentMediaType"
        | "contentEncoding" | "contentSchema" => K::Annotation,
        "additionalProperties" | "additionalItems" => K::Schema,
        "anyOf" | "oneOf" | "allOf" | "prefixItems" => K::Schemas,
        "items" => K::SchemaOrSchemas,
        "properties" | "patternProperties" | "$defs" | "definitions" => K::SchemaMap,
        "$ref" => K::Reference,
        "not" | "disallow" => K::Refused(NOT_REGULAR),
        "if" | "then" | "else" | "dependentRequired" | "dependentSchemas" | "dependencies" => {
            K::Refused(CONDITION)
        }
        "contains"
        | "minContains"
        | "maxContains"
        | "uniqueItems"
        | "unevaluatedItems"
        | "unevaluatedProperties" => K::Refused(LOOKS_BACK),
        "propertyNames" => K::Refused("name the properties, or use `patternProperties`"),
        "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef" | "$recursiveAnchor" => K::Refused(DYNAMIC),
        "extends" | "divisibleBy" => K::Refused("it belongs to draft 3; use `allOf` and `multipleOf`"),
        _ => return None,
    })
}
