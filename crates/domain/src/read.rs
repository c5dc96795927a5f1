//! JSON that somebody else has parsed, read as a type of ours: the page's way to what the server wrote. A browser has a
//! parser, so the page brings none, and what serde makes of these types reads faster, but is a tenth of what a phone would
//! have to load.
//!
//! The types are the same on both sides; a test holds that both ways of reading them agree. Which value is wrong, and how,
//! nobody is told: a page and its server are of one build.

mod types;

use serde_json::{Map, Number, Value};

/// A parsed value, whoever parsed it.
pub trait Parsed: Sized {
    /// True for null, and for a member that is not there.
    fn is_nothing(&self) -> bool;
    /// The text that it is.
    fn text(&self) -> Option<String>;
    /// The number that it is.
    fn number(&self) -> Option<f64>;
    /// True or false, where it is one of them.
    fn truth(&self) -> Option<bool>;
    /// The items of the list that it is.
    fn items(&self) -> Option<Vec<Self>>;
    /// Its members, for an object whose names are not known.
    fn members(&self) -> Vec<(String, Self)>;
    /// Its member of that name, or nothing (see [`Parsed::is_nothing`]).
    fn member(&self, name: &str) -> Self;
}

/// What can be read.
pub trait Read: Sized {
    /// The value, or nothing if it is of another shape.
    fn read(json: &impl Parsed) -> Option<Self>;
}

/// A member as what the place that it is read into wants.
fn member<T: Read>(json: &impl Parsed, name: &str) -> Option<T> {
    T::read(&json.member(name))
}

/// A whole number. Beyond 2^53 a browser's numbers have gaps; nothing of ours counts that far.
fn whole<T: TryFrom<i64>>(json: &impl Parsed) -> Option<T> {
    json.number().filter(|number| number.trunc() == *number).and_then(|number| T::try_from(number as i64).ok())
}

impl Read for String {
    fn read(json: &impl Parsed) -> Option<Self> {
        json.text()
    }
}

impl Read for bool {
    fn read(json: &impl Parsed) -> Option<Self> {
        json.truth()
    }
}

impl Read for f64 {
    fn read(json: &impl Parsed) -> Option<Self> {
        json.number()
    }
}

impl Read for u64 {
    fn read(json: &impl Parsed) -> Option<Self> {
        whole(json)
    }
}

impl Read for u16 {
    fn read(json: &impl Parsed) -> Option<Self> {
        whole(json)
    }
}

impl Read for i32 {
    fn read(json: &impl Parsed) -> Option<Self> {
        whole(json)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(json: &impl Parsed) -> Option<Self> {
        if json.is_nothing() { Some(None) } else { T::read(json).map(Some) }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &impl Parsed) -> Option<Self> {
        json.items()?.iter().map(T::read).collect()
    }
}

/// The input of a tool, which has whatever shape the tool gave it.
impl Read for Value {
    fn read(json: &impl Parsed) -> Option<Self> {
        Some(if json.is_nothing() {
            Value::Null
        } else if let Some(text) = json.text() {
            Value::String(text)
        } else if let Some(truth) = json.truth() {
            Value::Bool(truth)
        } else if let Some(number) = whole::<i64>(json) {
            Value::Number(Number::from(number))
        } else if let Some(number) = json.number() {
            Value::Number(Number::from_f64(number)?)
        } else if let Some(items) = json.items() {
            Value::Array(items.iter().map(Value::read).collect::<Option<_>>()?)
        } else {
            // One by one: what a map collects it sorts first, which is more code.
            let mut members = Map::new();
            for (name, value) in json.members() {
                members.insert(name, Value::read(&value)?);
            }
            Value::Object(members)
        })
    }
}

#[cfg(test)]
mod tests;
