//! Takes secrets out of text before it leaves the house: what has the form of one, what stands where one stands, and what is
//! known to be one. Each leaves a mark that says what stood there. It knows text and nothing of who wrote it.
//!
//! It looks for what credentials look like, not for what looks random: in an incident's report the hashes, commit ids and
//! run ids are what one needs. The expressions are matched in linear time, so no output can hold it up.
//!
//! **Invariant:** redacting twice is redacting once: a mark is never taken for a secret.

mod assignment;
mod forms;

use std::borrow::Cow;

/// A value that is known to be secret, and what it is called.
#[derive(Clone)]
pub struct Known {
    name: &'static str,
    value: String,
}

/// Shorter values are not looked for: they would stand in innocent words.
const SHORTEST_KNOWN: usize = 6;

/// What takes secrets out. It can be kept and used again.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Vec<Known>,
}

impl Redactor {
    /// Looks also for this value, wherever it stands.
    pub fn knowing(mut self, name: &'static str, value: &str) -> Self {
        if value.len() >= SHORTEST_KNOWN {
            self.known.push(Known { name, value: value.to_owned() });
        }
        self
    }

    /// The text without its secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for Known { name, value } in &self.known {
            if text.contains(value.as_str()) {
                text = Cow::Owned(text.replace(value.as_str(), &mark(name)));
            }
        }
        assignment::clean(&forms::clean(&text)).into_owned()
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor(knows {} values)", self.known.len())
    }
}

/// How every mark begins.
const MARK: &str = "[redacted";

/// What stands in the place of a secret.
fn mark(what: &str) -> String {
    format!("{MARK}: {what}]")
}

#[cfg(test)]
mod tests;
