//! Fields of an object that may be absent or of a type that nobody expects. A field is taken out, so that a text of
//! 1 MB is moved and not copied.

use serde_json::{Map, Value};

/// An object's fields.
pub type Fields = Map<String, Value>;

/// A text; a number or a truth value is one too, by its spelling.
pub fn text(fields: &mut Fields, name: &str) -> Option<String> {
    match fields.remove(name)? {
        Value::String(text) => Some(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

/// A whole number, 0 or more. A fraction is cut off, and a number may be spelled as a text.
pub fn number(fields: &Fields, name: &str) -> Option<u64> {
    match fields.get(name)? {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.parse().ok().or_else(|| whole(text.parse().ok()?)),
        _ => None,
    }
}

/// A number that must fit a smaller type; one that does not is absent.
pub fn small<N: TryFrom<u64>>(fields: &Fields, name: &str) -> Option<N> {
    number(fields, name)?.try_into().ok()
}

fn whole(number: f64) -> Option<u64> {
    // The cast saturates, so that what is too large stays large.
    (number.is_finite() && number >= 0.0).then_some(number as u64)
}

/// A truth value.
pub fn flag(fields: &Fields, name: &str) -> Option<bool> {
    fields.get(name)?.as_bool()
}

/// An object, empty when there is none.
pub fn object(fields: &mut Fields, name: &str) -> Fields {
    match fields.remove(name) {
        Some(Value::Object(object)) => object,
        _ => Fields::new(),
    }
}

/// A list, empty when there is none.
pub fn list(fields: &mut Fields, name: &str) -> Vec<Value> {
    match fields.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// The texts of a list.
pub fn texts(fields: &mut Fields, name: &str) -> Vec<String> {
    let text = |value| if let Value::String(text) = value { Some(text) } else { None };
    list(fields, name).into_iter().filter_map(text).collect()
}

/// Content: a list of blocks, or a text, which stands for a list of one text block. One block alone is taken as well.
pub fn content(fields: &mut Fields) -> Vec<Block> {
    match fields.remove("content") {
        Some(Value::Array(blocks)) => blocks.into_iter().map(Block::of).collect(),
        Some(one @ (Value::String(_) | Value::Object(_))) => vec![Block::of(one)],
        _ => Vec::new(),
    }
}

/// A block of content.
pub enum Block {
    /// A text.
    Text(String),
    /// A block of another type, or of none.
    Other {
        /// The `type`, empty when there is none.
        kind: String,
        /// The rest.
        fields: Fields,
    },
}

impl Block {
    fn of(value: Value) -> Block {
        let mut fields = match value {
            Value::String(text) => return Block::Text(text),
            Value::Object(fields) => fields,
            _ => Fields::new(),
        };
        let kind = text(&mut fields, "type").unwrap_or_default();
        match fields.remove("text") {
            Some(Value::String(text)) if kind == "text" || kind.is_empty() => Block::Text(text),
            _ => Block::Other { kind, fields },
        }
    }
}
