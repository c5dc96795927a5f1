//! What happened, in order: prompts, commands with what came of them, findings, decisions, power actions, checks.

use std::fmt::Write as _;

use super::{Incident, fence, last_said, one_line, quoted, shortened};
use crate::{
    ids::duration_text,
    permission::Decision,
    text::joined,
    transcript::{Item, Row, Tone, ToolEnd, Transcript},
};

/// How many lines of a command are told: a runbook's are long, and their titles say what they do.
const COMMAND_LINES: usize = 6;
/// How many lines of an output are told: of one that failed more, because it says why.
const OUTPUT_LINES: usize = 15;
const FAILED_LINES: usize = 40;

pub(super) fn write(out: &mut String, incident: &Incident<'_>, transcript: &Transcript) {
    out.push_str("## Timeline\n\n");
    if transcript.is_empty() {
        out.push_str("Nothing happened in this session yet.\n\n");
    }
    let last = last_said(transcript).map(|row| row.id);
    let mut day = String::new();
    for row in transcript.rows() {
        let date = row.at.utc_date();
        if date != day {
            let _ = writeln!(out, "### {date}\n");
            day = date;
        }
        if Some(row.id) == last {
            let _ = writeln!(out, "**{} Answer:** see *In short* above.\n", row.at.utc_time());
        } else {
            tell(out, row, incident);
        }
    }
}

fn tell(out: &mut String, row: &Row, incident: &Incident<'_>) {
    let at = row.at.utc_time();
    let clean = incident.clean;
    match &row.item {
        Item::Prompt { text, by, steered } => {
            let how = if *steered { "added" } else { "asked" };
            let _ = writeln!(out, "**{at} {by} {how}:**\n\n{}\n", quoted(clean(text).trim()));
        }
        Item::Text { text } => {
            let _ = writeln!(out, "**{at} Answer:**\n\n{}\n", quoted(clean(text).trim()));
        }
        Item::Tool { name, line, title, end, abandoned, .. } => {
            let what = title.as_deref().unwrap_or(name);
            let _ = writeln!(out, "{at} {} ({})\n", one_line(what), ended(end.as_ref(), *abandoned));
            fence(out, &shortened(clean(line).trim(), COMMAND_LINES));
            if let Some(end) = end.as_ref().filter(|end| !end.output.trim().is_empty()) {
                let most = if end.is_error { FAILED_LINES } else { OUTPUT_LINES };
                fence(out, &shortened(&clean(&end.output), most));
            }
        }
        Item::Permission { tool, line, questions, end, .. } => {
            let what = questions.first().map_or_else(|| format!("{tool}: {line}"), |question| question.text.clone());
            let decided = end.as_ref().map_or_else(
                || "nobody has decided yet".to_owned(),
                |end| {
                    let word = end.message.as_deref().filter(|word| !word.is_empty());
                    let word = word.map(|word| format!(" ({word})")).unwrap_or_default();
                    match end.decision {
                        Decision::AllowOnce => format!("allowed once by {}{word}", end.by),
                        Decision::AllowSession => format!("allowed for this session by {}{word}", end.by),
                        Decision::Deny => format!("denied by {}{word}", end.by),
                        Decision::Withdrawn => "withdrawn".to_owned(),
                    }
                },
            );
            let _ = writeln!(out, "{at} The agent asked for leave: **{}**\n", one_line(&decided));
            fence(out, &shortened(clean(&what).trim(), FAILED_LINES));
        }
        Item::Run { run_id, verb, by, end } => {
            let outcome = match end {
                None => "still running".to_owned(),
                Some(end) => end.outcome.told(end.exit_code).1,
            };
            let _ = writeln!(out, "**{at} {verb}** by {by}: **{outcome}** (run {}, see below)\n", run_id.short());
        }
        Item::Figures { figures } => {
            let mut told =
                figures.iter().map(|figure| format!("{} {} % ({})", figure.name, figure.percent, figure.words));
            let _ = writeln!(out, "{at} Seen: {}\n", one_line(&joined(&mut told, ", ")));
        }
        Item::Note { tone, text } => {
            let mark = match tone {
                Tone::Info => "",
                Tone::Warning => "**Warning:** ",
                Tone::Error => "**Failed:** ",
                Tone::Stopped => "**Stopped:** ",
            };
            let mut lines = text.lines();
            let _ = writeln!(out, "{at} {mark}{}", one_line(lines.next().unwrap_or_default()));
            lines.for_each(|line| {
                let _ = writeln!(out, "  - {}", one_line(line));
            });
            out.push('\n');
        }
        Item::Finished { result, duration_ms, cost_usd } => {
            let cost = cost_usd.map(|dollars| format!(", for ${dollars:.2}")).unwrap_or_default();
            let _ = writeln!(out, "{at} Finished in {}{cost}: {}\n", duration_text(*duration_ms), one_line(result));
        }
    }
}

/// How a tool ended: exit code and duration.
fn ended(end: Option<&ToolEnd>, abandoned: bool) -> String {
    let Some(end) = end else {
        return if abandoned { "no result".to_owned() } else { "still running".to_owned() };
    };
    let code = end.exit_code.map(|code| format!("exit code {code}"));
    let failed = (end.is_error && end.exit_code.is_none()).then(|| "failed".to_owned());
    joined(&mut [code, failed, end.duration_ms.map(duration_text)].into_iter().flatten(), ", ")
}
