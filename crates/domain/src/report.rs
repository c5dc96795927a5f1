//! A session as a document that a person would send: what was asked, what was done, what came of it, in order, with times.
//! Secrets that can be told by their form are taken out.

use std::fmt::Write as _;

use crate::{
    call::SessionSummary,
    event::Entry,
    ids::{Millis, duration_text},
    transcript::{Item, Row, Tone, Transcript},
    verb::Outcome,
};

/// How many lines of an output are told: its beginning and its end.
const OUTPUT_LINES: usize = 40;

/// The report on a session, as Markdown. `target` is the target's name.
pub fn markdown(summary: &SessionSummary, target: &str, entries: &[Entry]) -> String {
    let transcript = Transcript::of(entries);
    let mut out = String::new();
    let title = summary.title.as_deref().unwrap_or("a session without a prompt");
    let _ = writeln!(out, "# {target}: {}\n", one_line(title));
    let _ = writeln!(out, "Session {}, opened {}.", summary.id, summary.created.utc_date_time());
    if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
        let took = duration_text(last.at.since(first.at));
        let _ = writeln!(out, "{} entries over {took}; all times are UTC.", entries.len());
    }
    out.push_str("\n## What happened\n\n");
    for row in transcript.rows() {
        tell(&mut out, row);
    }
    redacted(&out)
}

fn tell(out: &mut String, row: &Row) {
    let at = row.at.utc_time();
    match &row.item {
        Item::Prompt { text, by, .. } => {
            let _ = writeln!(out, "**{at} {by}:** {}\n", quoted(text));
        }
        Item::Text { text } => {
            let _ = writeln!(out, "**{at} answer:**\n\n{text}\n");
        }
        Item::Tool { name, line, title, end, abandoned, .. } => {
            let what = title.as_deref().unwrap_or(name);
            let how = match end {
                None if *abandoned => "no result".to_owned(),
                None => "still running".to_owned(),
                Some(end) => {
                    let code = end.exit_code.map(|code| format!("exit code {code}"));
                    let failed = (end.is_error && end.exit_code.is_none()).then(|| "failed".to_owned());
                    let facts: Vec<_> =
                        [code, failed, end.duration_ms.map(duration_text)].into_iter().flatten().collect();
                    facts.join(", ")
                }
            };
            let _ = writeln!(out, "{at} {} ({how})\n", one_line(what));
            fence(out, line.trim());
            if let Some(end) = end.as_ref().filter(|end| !end.output.trim().is_empty()) {
                fence(out, &shortened(end.output.trim_end()));
            }
        }
        Item::Permission { tool, line, questions, end, .. } => {
            let what = questions.first().map_or_else(|| format!("{tool}: {line}"), |question| question.text.clone());
            let decided = end.as_ref().map_or_else(
                || "nobody has decided yet".to_owned(),
                |end| {
                    let word = end.message.as_deref().map(|word| format!(" ({word})")).unwrap_or_default();
                    format!("{:?} by {}{word}", end.decision, end.by)
                },
            );
            let _ = writeln!(out, "{at} asked for leave: {} — {}\n", one_line(&what), one_line(&decided));
        }
        Item::Run { run_id, verb, by, end } => {
            let outcome = match end {
                None => "still running".to_owned(),
                Some(end) => {
                    let word = match end.outcome {
                        Outcome::Done => "done",
                        Outcome::Refused => "refused, nothing was done",
                        Outcome::Unknown => "outcome unknown",
                    };
                    end.exit_code.map_or_else(|| word.to_owned(), |code| format!("{word}, exit code {code}"))
                }
            };
            let _ = writeln!(out, "**{at} {verb}** by {by}: {outcome} (run {run_id})\n");
        }
        Item::Note { tone, text } => {
            let mark = match tone {
                Tone::Info => "note",
                Tone::Warning => "warning",
                Tone::Error => "**failed**",
                Tone::Stopped => "stopped",
            };
            let _ = writeln!(out, "{at} {mark}: {}\n", one_line(text));
        }
        Item::Finished { duration_ms, .. } => {
            let _ = writeln!(out, "{at} finished in {}\n", duration_text(*duration_ms));
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    if text.contains('\n') { format!("\n\n> {}", text.trim().replace('\n', "\n> ")) } else { text.trim().to_owned() }
}

/// A fence that nothing in the text can end.
fn fence(out: &mut String, text: &str) {
    let longest = text.lines().map(|line| line.chars().take_while(|c| *c == '`').count()).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "{fence}\n{text}\n{fence}\n");
}

fn shortened(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    if lines.len() <= OUTPUT_LINES {
        return text.to_owned();
    }
    let half = OUTPUT_LINES / 2;
    let left_out = lines.len() - 2 * half;
    format!("{}\n… {left_out} lines left out …\n{}", lines[..half].join("\n"), lines[lines.len() - half..].join("\n"))
}

/// What stands for a secret.
const REDACTED: &str = "[redacted]";
/// Words after which, with `=` or `:`, a secret follows.
const NAMES: [&str; 8] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "authorization"];
/// How tokens begin of which everybody knows what they are.
const BEGINNINGS: [&str; 7] = ["sk-", "ghp_", "github_pat_", "glpat-", "xoxb-", "AKIA", "eyJhbGciOi"];

/// A text without what has the form of a secret: values of names such as `password`, bearer tokens, well-known tokens, and
/// private keys. It cannot know every secret.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_key = false;
    for line in text.split_inclusive('\n') {
        if line.contains("-----BEGIN") && line.contains("PRIVATE KEY-----") {
            in_key = true;
            let _ = writeln!(out, "{REDACTED} private key");
        }
        if !in_key {
            redact_line(&mut out, line);
        }
        if line.contains("-----END") && line.contains("PRIVATE KEY-----") {
            in_key = false;
        }
    }
    out
}

fn redact_line(out: &mut String, line: &str) {
    let mut secret_follows = false;
    for piece in line.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let lower = word.to_ascii_lowercase();
        let named = NAMES.iter().any(|name| {
            lower
                .find(name)
                .is_some_and(|at| lower[at + name.len()..].trim_start_matches(['"', '\'']).starts_with(['=', ':']))
        });
        let value_at = word.find(['=', ':']).map_or(word.len(), |at| at + 1);
        let begins = BEGINNINGS.iter().find_map(|beginning| {
            let at = word.find(beginning)?;
            (word.len() - at >= beginning.len() + 8).then_some(at)
        });
        let bearer = matches!(lower.as_str(), "bearer" | "basic");
        if secret_follows && !bearer && !word.is_empty() {
            out.push_str(REDACTED);
            out.push_str(&piece[word.len()..]);
            secret_follows = false;
        } else if named {
            let (name, value) = word.split_at(value_at);
            out.push_str(name);
            if value.trim_matches(['"', '\'', ',']).is_empty() {
                out.push_str(value);
                secret_follows = true;
            } else {
                out.push_str(REDACTED);
            }
            out.push_str(&piece[word.len()..]);
        } else if let Some(at) = begins {
            out.push_str(&word[..at]);
            out.push_str(REDACTED);
            out.push_str(&piece[word.len()..]);
        } else {
            secret_follows = bearer;
            out.push_str(piece);
        }
    }
}

impl Millis {
    /// The time of day in UTC with its seconds, `03:12:05`.
    pub fn utc_time(self) -> String {
        format!("{}:{:02}", self.utc_clock(), self.0 / 1000 % 60)
    }

    /// The date and time of day in UTC, `2026-11-20 03:12:05 UTC`.
    pub fn utc_date_time(self) -> String {
        // Days since 1970 to a date, after Howard Hinnant's `civil_from_days`.
        let days = i64::try_from(self.0 / 86_400_000).unwrap_or(0) + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02} {} UTC", self.utc_time())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{event::Event, ids::EntryId, log::Head, testing::any_log};

    fn summary() -> SessionSummary {
        SessionSummary {
            id: "00000000-0000-4000-8000-000000000000".parse().unwrap(),
            created: Millis(1_795_167_056_000),
            title: Some("what is wrong?".into()),
            turn_active: false,
            last_event_id: Head(None),
            archived: false,
        }
    }

    #[test]
    fn a_date_is_the_right_one() {
        assert_eq!(Millis(0).utc_date_time(), "1970-01-01 00:00:00 UTC");
        assert_eq!(Millis(951_782_400_000).utc_date_time(), "2000-02-29 00:00:00 UTC");
        assert_eq!(Millis(1_795_167_056_000).utc_date_time(), "2026-11-20 09:30:56 UTC");
    }

    #[test]
    fn a_report_tells_it_in_order() {
        let log = [
            Event::User { text: "what is wrong?".into(), by: "ada".into(), steered: false },
            Event::Tool {
                tool_id: "t".into(),
                name: "Bash".into(),
                input: serde_json::json!({"command": "ssh devvm df"}),
                parent: None,
            },
            Event::ToolResult {
                tool_id: "t".into(),
                output: "```\n100% /".into(),
                is_error: true,
                exit_code: Some(1),
                truncated: false,
                whole: None,
            },
            Event::Text { text: "The disk is full.".into() },
            Event::TurnEnd,
        ];
        let entries: Vec<_> = log
            .into_iter()
            .zip(0..)
            .map(|(event, id)| Entry { id: EntryId(id), at: Millis(1_795_167_056_000 + id * 1000), event })
            .collect();
        let report = markdown(&summary(), "devvm", &entries);
        let order = [
            "# devvm: what is wrong?",
            "ada:** what is wrong?",
            "ssh devvm df",
            "````\n```\n100% /\n````",
            "The disk is full.",
        ];
        let places: Vec<_> =
            order.iter().map(|text| report.find(text).unwrap_or_else(|| panic!("{text} in {report}"))).collect();
        assert!(places.is_sorted(), "{report}");
        assert!(report.contains("exit code 1, 1.0 s") || report.contains("exit code 1, 1 s"), "{report}");
    }

    #[test]
    fn what_has_the_form_of_a_secret_is_taken_out() {
        let text = "PASSWORD=hunter2 x\nAuthorization: Bearer abc.def\n{\"api_key\": \"k1\", \"n\": 1}\nkey sk-ant-0123456789\n\
                    -----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\nafter\n";
        let clean = redacted(text);
        for secret in ["hunter2", "abc.def", "k1", "0123456789", "AAAA"] {
            assert!(!clean.contains(secret), "{secret} in {clean}");
        }
        assert!(clean.contains(" x\n") && clean.contains("after\n") && clean.contains("\"n\": 1"), "{clean}");
    }

    #[test]
    fn plain_words_stay() {
        let text = "the disk is 100% full: /var/log, 3 tokens, ask-me, sk-x\n";
        assert_eq!(redacted(text), text);
    }

    proptest! {
        #[test]
        fn any_log_has_a_report(log in any_log()) {
            prop_assert!(markdown(&summary(), "devvm", &log).starts_with("# devvm"));
        }
    }
}
