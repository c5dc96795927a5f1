//! The rows that fold out: a tool, and what was decided of a permission. Each is one line with its state; what it was to do
//! and what came of it stand below.

use domain::{
    ids::{EntryId, duration_text, size_text},
    permission::{Decision, answered},
    text::{joined, parted},
    transcript::{Item, PermissionEnd},
};

use super::super::{
    ansi,
    html::Html,
    reveal::revealed,
    sample::{is_long, sample},
};

/// Writes the row, whose session has the whole of an output that was cut.
pub(super) fn write(html: &mut Html, id: EntryId, item: &Item, session: &str) {
    let Some(fold) = tool(item).or_else(|| permission(item)) else { return };
    // Named, so that what somebody opened can be opened again when its second half makes it anew.
    let markup = r#"<li class="{}" data-state="{}"><details id="tool-{}"><summary>"#;
    html.fill(markup, &[fold.class, fold.look, &id.to_string()]);
    line(html, fold.icon, &fold.label, &fold.facts);
    html.fill("</summary>", &[]);
    sample(html, "command", &fold.name, false, |html| html.text(&fold.line));
    if let Some((output, cut)) = &fold.output {
        sample(html, "output", "Output", is_long(output), |html| ansi::write(html, output));
        if let Some(cut) = cut {
            cut_line(html, cut, session);
        }
    }
    html.fill("</details></li>", &[]);
}

/// The one line of what folds out.
pub(super) fn line(html: &mut Html, icon: &str, label: &str, facts: &str) {
    html.icon(icon);
    html.fill(r#"<span class="tool-label">{}</span><span class="tool-facts">{}</span>"#, &[label, facts]);
}

/// What a row that folds out shows.
struct Fold {
    class: &'static str,
    look: &'static str,
    icon: &'static str,
    label: String,
    facts: String,
    /// The tool, and what it was to do.
    name: String,
    line: String,
    /// What came of it, and what is to be said of that.
    output: Option<(String, Option<Cut>)>,
}

/// What is missing of an output, and under which name and how large the console has all of it.
struct Cut(Option<(String, u64)>);

/// A tool: its state, duration and exit code; what it ran and what came of it fold out.
fn tool(item: &Item) -> Option<Fold> {
    let Item::Tool { name, line, title, end, abandoned, nested } = item else { return None };
    let (look, icon) = match end {
        None if *abandoned => ("failed", "cross"),
        None => ("running", "dots"),
        Some(end) if end.is_error => ("failed", "cross"),
        Some(_) => ("ended", "check"),
    };
    let facts = match end {
        None if *abandoned => "no result".to_owned(),
        None => "running".to_owned(),
        Some(end) => {
            let exit = end.exit_code.filter(|code| *code != 0).map(|code| format!("exit {code}"));
            joined(&mut exit.into_iter().chain(end.duration_ms.map(duration_text)), " · ")
        }
    };
    let first = line.lines().next().unwrap_or_default();
    let label = match title.as_deref() {
        Some(title) => title,
        None if is_command(name) => first,
        // Of the field that tells most what it says, without its name.
        None => {
            let telling = |line: &&str| line.starts_with("file_path: ") || line.starts_with("pattern: ");
            let line = line.lines().find(telling).unwrap_or(first);
            parted(line, ": ").map_or(line, |(_, text)| text)
        }
    };
    let label = if is_command(name) { label.to_owned() } else { format!("{name} {label}") };
    let output = end.as_ref().map(|end| {
        let text = if end.output.is_empty() { "(no output)" } else { &end.output };
        (text.to_owned(), (end.truncated || end.whole.is_some()).then(|| Cut(end.whole.clone())))
    });
    let class = if *nested { "row tool nested" } else { "row tool" };
    Some(Fold { class, look, icon, label, facts, name: name.clone(), line: line.trim().to_owned(), output })
}

/// True for the tools that run a command: it speaks for itself.
pub(super) fn is_command(tool: &str) -> bool {
    matches!(tool, "command" | "Bash")
}

/// A permission: who decided what, or that it waits.
fn permission(item: &Item) -> Option<Fold> {
    let Item::Permission { tool, line, questions, end, .. } = item else { return None };
    let asks = !questions.is_empty();
    let word = end.as_ref().and_then(|end| end.message.as_deref()).unwrap_or_default();
    let answers = answered(questions, word);
    let line = match asks {
        false => revealed(line),
        true if answers.is_empty() => joined(&mut questions.iter().map(|asked| asked.text.clone()), "\n"),
        true => joined(&mut answers.iter().map(|(asked, answer)| format!("{asked} → {answer}")), "\n"),
    };
    let first = line.lines().next().unwrap_or_default();
    let (look, icon, label) = match end {
        None => ("waiting", "alert", format!("Waiting for a decision: {first}")),
        Some(PermissionEnd { decision, by, .. }) => {
            let (look, icon, what) = match decision {
                Decision::AllowOnce | Decision::AllowSession if asks => ("ended", "check", "Answered"),
                Decision::AllowOnce => ("ended", "check", "Allowed once"),
                Decision::AllowSession => ("ended", "check", "Allowed for this session"),
                Decision::Deny if asks => ("denied", "cross", "Skipped"),
                Decision::Deny => ("denied", "cross", "Denied"),
                Decision::Withdrawn => ("denied", "cross", "Withdrawn"),
            };
            let by = if *decision == Decision::Withdrawn { String::new() } else { format!(" by {by}") };
            let word = match answers.is_empty() {
                true if word.is_empty() => String::new(),
                true => format!(": {word}"),
                false => {
                    let answers = joined(&mut answers.iter().map(|(_, answer)| answer.clone()), "; ");
                    format!(": {answers}")
                }
            };
            (look, icon, format!("{what}{by}{word}"))
        }
    };
    Some(Fold {
        class: "row tool",
        look,
        icon,
        label,
        facts: if asks { String::new() } else { tool.clone() },
        name: tool.clone(),
        line,
        output: None,
    })
}

/// That there was more, with the way to all of it where the console has it.
fn cut_line(html: &mut Html, Cut(whole): &Cut, session: &str) {
    let Some((tool_id, bytes)) = whole else {
        return html.fill(r#"<p class="cut">Output cut here: there was more.</p>"#, &[]);
    };
    let markup = r#"<p class="cut">Output cut here: <a href="/api/session/{}/output/{}" target="_blank" rel="noopener">whole output, {}</a></p>"#;
    html.fill(markup, &[session, tool_id, &size_text(*bytes)]);
}
