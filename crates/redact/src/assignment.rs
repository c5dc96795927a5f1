//! Secrets that are told by the name they are given: `PASSWORD=…`, `token: …`, `"client_secret": "…"`, `--password …`. Here
//! it is the innocent that must be known: `max_tokens: 4096` and `passwd: files systemd` are none.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::{MARK, mark};

#[expect(clippy::expect_used, reason = "the expressions stand here, and every test compiles them")]
fn expression(text: &str) -> Regex {
    Regex::new(text).expect("an expression")
}

/// Words that a secret's name holds.
const NAMES: &str = "password|passwd|passphrase|[a-z0-9]_pwd|;[ ]?pwd|secret|token|api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key|preshared[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|key-data|credentials?|\\bpsk";
/// A value, in quotes or as far as it goes.
const VALUE: &str = r#""[^"\r\n]*"|'[^'\r\n]*'|\\"[^"\\\r\n]*\\"|[^\s,;&"'`)\]}<>]+"#;

/// A name, `=` or `:`, and a value.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    expression(&format!(
        r#"(?i)(?P<name>[a-z0-9_.-]*(?:{NAMES})[a-z0-9_.-]*)(?P<is>\\?["']?[ \t]*(?::=|=>|=|:)[ \t]*)(?P<value>{VALUE})"#
    ))
});

/// What takes a secret as its next word: a flag, `sshpass -p`, a line of `.netrc`, SQL.
static FOLLOWS: LazyLock<Regex> = LazyLock::new(|| {
    expression(&format!(
        r"(?i)(?P<name>--?(?:[a-z0-9]+-)*(?:password|passwd|passphrase|secret|token|api-?key)|\bsshpass[ \t]+-p|\blogin[ \t]+\S+[ \t]+password|\bidentified[ \t]+by)(?P<is>[ \t]+)(?P<value>{VALUE})"
    ))
});

/// What a name ends in that says something about a secret and is none.
const ABOUT: [&str; 37] = [
    "file",
    "files",
    "path",
    "dir",
    "name",
    "url",
    "uri",
    "id",
    "type",
    "expires",
    "expiry",
    "expiration",
    "age",
    "length",
    "len",
    "count",
    "limit",
    "authentication",
    "policy",
    "version",
    "used",
    "budget",
    "ttl",
    "timeout",
    "lifetime",
    "status",
    "service",
    "socket",
    "timer",
    "target",
    "mount",
    "conf",
    "go",
    "rs",
    "py",
    "js",
    "error",
];

/// Values that say something about a secret and are none.
const SAID: [&str; 38] = [
    "accepted",
    "ask",
    "changed",
    "compat",
    "default",
    "denied",
    "disabled",
    "empty",
    "enabled",
    "expired",
    "failed",
    "false",
    "files",
    "incorrect",
    "invalid",
    "ldap",
    "locked",
    "missing",
    "no",
    "nil",
    "none",
    "not",
    "null",
    "off",
    "on",
    "prompt",
    "required",
    "set",
    "sss",
    "systemd",
    "the",
    "true",
    "unknown",
    "unset",
    "wrong",
    "x",
    "yes",
    "is",
];

pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let once = ASSIGNED.replace_all(
        text,
        |found: &Captures<'_>| {
            if is_prose(text, found) { found[0].to_owned() } else { redacted(found) }
        },
    );
    match FOLLOWS.replace_all(&once, redacted) {
        Cow::Borrowed(_) => once,
        Cow::Owned(twice) => Cow::Owned(twice),
    }
}

/// True within a sentence: `cannot read the password: permission denied`. A setting begins its line, and its value ends it.
fn is_prose(text: &str, found: &Captures<'_>) -> bool {
    let Some(all) = found.get(0) else { return false };
    let is_word = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    let before = text[..all.start()].lines().next_back().unwrap_or_default();
    let within = !text[..all.start()].ends_with('\n') && before.ends_with(' ') && before.contains(char::is_alphabetic);
    let goes_on = text[all.end()..].strip_prefix(' ').is_some_and(is_word);
    within && goes_on && found["is"].ends_with(": ") && found["value"].bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn redacted(found: &Captures<'_>) -> String {
    let group = |name| found.name(name).map_or("", |found| found.as_str());
    let (name, is, value) = (group("name"), group("is"), group("value"));
    let quote: String = value.chars().take_while(|c| matches!(c, '"' | '\'' | '\\')).collect();
    let inside = &value[quote.len()..];
    let inside = inside.strip_suffix(quote.as_str()).unwrap_or(inside);
    if !is_secret(&name.to_lowercase(), inside) {
        return found[0].to_owned();
    }
    format!("{name}{is}{quote}{}{quote}", mark(called(&name.to_lowercase())))
}

fn is_secret(name: &str, value: &str) -> bool {
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let about = ABOUT.iter().any(|about| last == *about || (about.len() > 3 && last.ends_with(about)));
    let said = SAID.contains(&value.to_lowercase().trim_end_matches('.'));
    // A name for it, and not itself: a variable, a path, a placeholder, an address.
    let stands_for_it = value.starts_with(['$', '%', '/', '<', '{', '~', '*', '@']) || value.contains("://");
    let number = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let counted = number && !["pass", "secret", "pwd"].iter().any(|word| name.contains(word));
    !(value.is_empty() || value.starts_with(MARK) || about || said || stands_for_it || counted)
}

/// What a secret of that name is called.
fn called(name: &str) -> &'static str {
    if name.contains("pass") || name.contains("pwd") || name.contains("identified") {
        "password"
    } else if name.contains("token") {
        "token"
    } else if name.contains("key") || name.contains("psk") {
        "key"
    } else {
        "secret"
    }
}
