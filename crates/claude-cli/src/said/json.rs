//! A line as a JSON object, also when the line is not quite JSON.

use serde_json::Value;

use super::fields::Fields;

/// The object that a line holds, if it holds one.
pub fn object(line: &[u8]) -> Option<Fields> {
    let value = serde_json::from_slice(line).ok().or_else(|| serde_json::from_str(&mend(line)).ok())?;
    if let Value::Object(fields) = value { Some(fields) } else { None }
}

/// The line with U+FFFD where it is not Unicode.
///
/// JavaScript counts UTF-16 units. When it cuts a text within a pair, half of a character is left, and it writes that
/// as an escape (`\ud83d`) which no parser of Unicode takes; the whole line would be lost for it. That bytes are not
/// UTF-8 was never seen.
fn mend(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let mut out = String::with_capacity(line.len());
    let mut rest = &*line;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escape, length) = match (unit(rest), unit(rest.get(6..).unwrap_or_default())) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&rest[..12], 12),
            (Some(0xd800..=0xdfff), _) => ("\\ufffd", 6),
            (Some(_), _) => (&rest[..6], 6),
            // A backslash and what it escapes: `\\` must not leave its second half to be read as a beginning.
            (None, _) => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (&rest[..length], length)
            }
        };
        out.push_str(escape);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The UTF-16 unit of an escape like `\u00e9` at the head of a text.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}
