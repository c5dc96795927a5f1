//! A session as a document that a person would send: what was wrong with what, who took part, what was asked and done and
//! found, in order and with times, every power action with its evidence, and how it stands now.
//!
//! It is written from the record and knows no secret: whoever gives it out takes them out first. Outputs are cut here, so
//! they are given to `clean` before that, while what has a beginning and an end still has both.

mod power;
mod timeline;

use std::fmt::Write as _;

use crate::{
    call::{Run, SessionSummary},
    event::{Entry, Event},
    ids::{Millis, duration_text},
    probe::{HostSays, SshSays, TargetStatus},
    transcript::{Item, Row, Tone, Transcript},
};

/// All that a report is made of.
pub struct Incident<'a> {
    /// The session.
    pub summary: &'a SessionSummary,
    /// The target's name.
    pub target: &'a str,
    /// True in practice mode, which no reader may take for an incident.
    pub practice: bool,
    /// The session's entries, ascending.
    pub entries: &'a [Entry],
    /// The runs that belong to it, oldest first, with their outputs.
    pub runs: &'a [Run],
    /// What was last seen of the target, where somebody looked.
    pub status: Option<&'a TargetStatus>,
    /// When the report is made.
    pub now: Millis,
    /// Takes secrets out of an output.
    pub clean: &'a dyn Fn(&str) -> String,
}

/// The report, as Markdown.
pub fn markdown(incident: &Incident<'_>) -> String {
    let transcript = Transcript::of(incident.entries);
    let mut out = String::new();
    header(&mut out, incident, &transcript);
    conclusion(&mut out, incident, &transcript);
    timeline::write(&mut out, incident, &transcript);
    power::write(&mut out, incident);
    now(&mut out, incident);
    out
}

/// Under which name it is kept: when, of what, and which session, in letters that every system takes.
pub fn file_name(summary: &SessionSummary, target: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let target: String = target.chars().take(40).map(plain).collect();
    let words: Vec<_> = target.split('-').filter(|word| !word.is_empty()).collect();
    let target = if words.is_empty() { "target".to_owned() } else { words.join("-") };
    format!("incident-{}-{target}-{}", summary.created.utc_date(), summary.id.short())
}

fn header(out: &mut String, incident: &Incident<'_>, transcript: &Transcript) {
    let Incident { summary, target, practice, entries, now, .. } = incident;
    let title = summary.title.as_deref().unwrap_or("nothing was asked yet");
    let _ = writeln!(out, "# {}: {}\n", one_line(target), one_line(title));
    if *practice {
        out.push_str("> **Practice.** This was a drill: no machine was in trouble and none was touched.\n\n");
    }
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "- **{name}:** {}", one_line(value));
    };
    line("Target", target);
    line("When", &span(entries, summary.created));
    line("Who", &took_part(entries));
    line("Outcome", &outcome(summary, entries, transcript));
    line("Session", &format!("{}, {}", summary.id, counted(entries.len(), "entry", "entries")));
    line("Written", &format!("{}; all times are UTC", now.utc_date_time()));
    out.push('\n');
}

/// From when to when, and how long that was.
fn span(entries: &[Entry], created: Millis) -> String {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return created.utc_date_time();
    };
    let until = if first.at.utc_date() == last.at.utc_date() {
        format!("{} UTC", last.at.utc_time())
    } else {
        last.at.utc_date_time()
    };
    format!("{} to {until} ({})", first.at.utc_date_time(), duration_text(last.at.since(first.at)))
}

/// Everybody who did something, in the order in which they appeared.
fn took_part(entries: &[Entry]) -> String {
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        let name = match &entry.event {
            Event::User { by, .. } | Event::Decision { by, .. } | Event::Cancelled { by } | Event::Verb { by, .. } => {
                by.clone()
            }
            Event::Session { model, .. } => format!("an AI agent ({model})"),
            _ => continue,
        };
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { "nobody yet".into() } else { names.join(", ") }
}

/// How it ended, and what the console itself then saw.
fn outcome(summary: &SessionSummary, entries: &[Entry], transcript: &Transcript) -> String {
    let ended = transcript.rows().rev().find_map(|row| match &row.item {
        Item::Finished { result, .. } => Some(result.clone()),
        Item::Note { tone: Tone::Error, text } => Some(format!("failed: {text}")),
        Item::Note { tone: Tone::Stopped, text } => Some(text.clone()),
        _ => None,
    });
    let checked = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Check { text, .. } => Some(format!("checked by the console at {}: {text}", entry.at.utc_clock())),
        _ => None,
    });
    let still = summary.turn_active.then(|| "still being worked on".to_owned());
    let parts: Vec<_> = still.or(ended).into_iter().chain(checked).map(|part| one_line(&part)).collect();
    if parts.is_empty() { "open".into() } else { parts.join("; ") }
}

/// What was said last, which is what one reads first.
fn conclusion(out: &mut String, incident: &Incident<'_>, transcript: &Transcript) {
    if let Some(Item::Text { text }) = last_said(transcript).map(|row| &row.item) {
        let text = (incident.clean)(text);
        let _ = writeln!(out, "## In short\n\n{}\n", quoted(text.trim()));
    }
}

/// The row of what was said last.
fn last_said(transcript: &Transcript) -> Option<&Row> {
    transcript.rows().rev().find(|row| matches!(row.item, Item::Text { .. })).map(|row| &**row)
}

/// How it stands with the target, as far as somebody has looked.
fn now(out: &mut String, incident: &Incident<'_>) {
    out.push_str("## State now\n\n");
    let Some(status) = incident.status else {
        out.push_str("Not looked at: the report was made without the console that serves.\n");
        return;
    };
    let mut line = |text: String| {
        let _ = writeln!(out, "- {}", one_line(&text));
    };
    match &status.verdict {
        Some(verdict) => {
            line(format!("**{}**", verdict.headline));
            // What the headline says need not be said again.
            let reasons = verdict.reasons.iter().filter(|reason| !verdict.headline.contains(reason.as_str()));
            reasons.for_each(|reason| line(reason.clone()));
        }
        None => line("Nobody has looked at the target since the console started.".into()),
    }
    if let Some(look) = &status.ssh {
        let says = match &look.says {
            SshSays::Answers(figures) => {
                let bars = figures.bars().into_iter();
                let bars: Vec<_> = bars.map(|bar| format!("{} {} % ({})", bar.name, bar.percent, bar.words)).collect();
                if bars.is_empty() { "answers".to_owned() } else { format!("answers: {}", bars.join(", ")) }
            }
            SshSays::Banner { software, why } => format!("only sshd itself answers ({software}): {why}"),
            SshSays::Refused { why } => format!("would not let the console in: {why}"),
            SshSays::Silent { why } => format!("does not answer: {why}"),
        };
        line(format!("SSH, {}: {says}", look.at.utc_date_time()));
    }
    if let Some(look) = &status.hypervisor {
        let says = match &look.says {
            HostSays::Answers { vm, .. } => format!("the VM is {vm}"),
            HostSays::Unclear { why } => format!("gave no status: {why}"),
            HostSays::Refused { why } => format!("would not let the console in: {why}"),
            HostSays::Silent { why } => format!("does not answer: {why}"),
        };
        line(format!("Hypervisor, {}: {says}", look.at.utc_date_time()));
    }
    if let Some(run) = &status.running {
        line(format!("{} by {} is running since {}", run.verb, run.by, run.started.utc_date_time()));
    }
    if let Some(run) = &status.unknown {
        line(format!("nobody knows what became of the {} by {} of {}", run.verb, run.by, run.started.utc_date_time()));
    }
    if let Some(lock) = &status.lock {
        line(format!("locked by {} since {}: {}", lock.by, lock.since.utc_date_time(), lock.why));
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As somebody's words: a heading of theirs does not become one of the report.
fn quoted(text: &str) -> String {
    format!("> {}", text.replace('\n', "\n> ").replace("> \n", ">\n"))
}

/// A fence that nothing in the text can end.
fn fence(out: &mut String, text: &str) {
    let longest = text.lines().map(|line| line.chars().take_while(|c| *c == '`').count()).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "{fence}text\n{text}\n{fence}\n");
}

/// The beginning and the end of an output, where its errors mostly stand: so many lines, none of them endless.
fn shortened(text: &str, most: usize) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(cut_line).collect();
    // Less than a handful is not worth a gap.
    if lines.len() <= most + 5 {
        return lines.join("\n");
    }
    let (head, tail) = (most / 3, most - most / 3);
    let left_out = lines.len() - most;
    format!("{}\n… {left_out} lines left out …\n{}", lines[..head].join("\n"), lines[lines.len() - tail..].join("\n"))
}

/// How long a line may be, in characters.
const LONGEST_LINE: usize = 400;

fn cut_line(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests;
