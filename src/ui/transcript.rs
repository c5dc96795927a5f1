//! The transcript: bubbles, tool lines, notes, and what is being written now.
//!
//! It stands in a scroller that is turned upside down (`column-reverse`), so that it begins at its end before any
//! script runs and stays there while it grows.

use std::sync::Arc;

use domain::{
    ids::{EntryId, Millis, duration_text, size_text},
    permission::{Decision, answered},
    text::{joined, parted},
    transcript::{Item, PermissionEnd, Row, Tone, Transcript},
};
use leptos::prelude::*;

use super::{
    icons::Icon,
    part::{Part, Parts, live, part},
    prose::{prose, revealed, shown},
};
use crate::{
    bars::bars,
    state::{Outgoing, State, Step},
};

/// The scroller with all rows.
#[component]
pub(super) fn TranscriptView() -> impl IntoView {
    let state = State::current();
    let rows = move || state.shown(|transcript| transcript.rows().cloned().map(row).collect::<Vec<_>>());
    let empty = move || state.transcript.with(Transcript::is_empty).then(|| part(|| view! { <Empty/> }));
    view! {
        <main id="transcript" class="scroller" tabindex="0" aria-label="Transcript">
            <div class="transcript">
                {live(move || older(state))}
                {live(empty)}
                <ol class="rows" aria-live="polite">{live(rows)}</ol>
                {live(move || outbox(state))}
                {live(move || draft(state))}
                {live(move || now(state))}
            </div>
        </main>
    }
}

/// A row is made anew when its second half has come.
fn is_ended(item: &Item) -> bool {
    match item {
        Item::Tool { end, abandoned, .. } => end.is_some() || *abandoned,
        Item::Run { end, .. } => end.is_some(),
        Item::Permission { end, .. } => end.is_some(),
        _ => true,
    }
}

/// The way to what is older than what is shown.
fn older(state: State) -> Option<Part> {
    let oldest = state.shown(Transcript::oldest).map_or(0, |id| id.0);
    let way = part(move || {
        let href = format!("/s/{}?before={oldest}", state.session_id());
        view! { <a class="older" data-act="older" href=href>"Show earlier"</a> }
    });
    (oldest > 0).then(|| way.keyed(oldest))
}

/// What a new session says: what can be done here.
#[component]
fn Empty() -> impl IntoView {
    let state = State::current();
    let (target, configured, hypervisor, has_ai) = state.page.with_untracked(|page| {
        let surroundings = &page.surroundings;
        let (configured, hypervisor) = (surroundings.target_configured, surroundings.hypervisor_configured);
        (surroundings.target.clone(), configured, hypervisor, surroundings.has_ai)
    });
    // What is done when the switch is tapped, and what a line of one's own does.
    let (begin, own) = if has_ai {
        (
            format!(
                " below, or say what is wrong. The agent goes into {target}, finds the cause, repairs what it can and \
                 says what it did. The smaller button under a preset runs its plain commands without AI."
            ),
            " to run it there as it stands, without AI.",
        )
    } else {
        let plain = " below. It runs plain commands on ";
        (format!("{plain}{target}, shows each with its output, and ends in a verdict."), " to run it there yourself.")
    };
    view! {
        <section class="empty">
            <h1>"What is wrong with "{target}"?"</h1>
            <p>"Tap " <strong>"Triage"</strong> {begin}</p>
            <p>"Type a line that begins with " <code>"!"</code> {own}</p>
            <p>
                "Open " <strong>"VM"</strong>
                " above to power-cycle it through its hypervisor. That works when nothing inside answers."
            </p>
            {Parts::from((!configured).then(|| part(|| unconfigured("target", "BREAKGLASS_DEVVM_HOST"))))}
            {Parts::from((!hypervisor).then(|| part(|| unconfigured("hypervisor", "BREAKGLASS_PVE_HOST"))))}
        </section>
    }
}

/// What is not configured, and how it would be.
fn unconfigured(what: &'static str, setting: &'static str) -> impl IntoView {
    view! {
        <p class="warning">
            "No "{what}" is configured yet: set " <code>{setting}</code> " or " <code>"BREAKGLASS_SSH_CONFIG"</code> "."
        </p>
    }
}

/// The prompts that are on their way, after all that came.
fn outbox(state: State) -> Option<Part> {
    let outbox = state.outbox.get();
    (!outbox.is_empty()).then(|| {
        part(move || {
            let pending: Vec<_> = outbox.into_iter().map(pending).collect();
            view! { <ol class="outbox" aria-live="polite">{Parts::from(pending)}</ol> }
        })
    })
}

fn pending(Outgoing { key, words, step, typed, .. }: Outgoing) -> Part {
    let (look, says) = match step {
        Step::Sending => ("sending", "sending".to_owned()),
        Step::Sent => ("sent", "sent".to_owned()),
        Step::Unsure => {
            ("unsure", "No answer yet. It is sent again as soon as the console answers, and runs once.".to_owned())
        }
        Step::Failed(why) => ("failed", why),
    };
    let ways = (look == "unsure" || look == "failed").then(|| {
        part(move || {
            view! {
                <div class="ways">
                    <button type="button" data-act="again" data-key=key.clone()>"Send again"</button>
                    <button type="button" data-act="take-back" data-key=key>
                        {if typed { "Take back into the field" } else { "Remove" }}
                    </button>
                </div>
            }
        })
    });
    part(move || {
        view! {
            <li class="pending" data-step=look>
                <div class="bubble">{shown(&words)}</div>
                <p class="meta">{says}</p>
                {Parts::from(ways)}
            </li>
        }
    })
}

/// What the backend has written so far.
fn draft(state: State) -> Option<Part> {
    let draft = state.draft.get()?;
    Some(part(move || view! { <div class="bubble agent prose draft">{prose(&draft)}</div> }))
}

/// What happens now: that something is at work and for how long, or what can be done after it failed.
fn now(state: State) -> Option<Part> {
    if !state.working() {
        return without_ai(state);
    }
    // Its words change in place, each second.
    let now = part(move || {
        let words = untrack(|| state.now());
        view! { <p class="now"><span class="pulse" aria-hidden="true"></span><span class="now-words">{words}</span></p> }
    });
    Some(now.keyed(0))
}

/// After a turn that failed: its preset, else the first, as plain commands. The button belongs to the composer's form.
fn without_ai(state: State) -> Option<Part> {
    let presets = state.page.with_untracked(|page| page.surroundings.has_ai.then(|| page.presets.clone()))?;
    let asked = state.transcript.with(|transcript| transcript.failed().map(str::to_owned))?;
    let preset = presets.iter().find(|preset| preset.label == asked).or(presets.first())?.clone();
    Some(part(move || {
        view! {
            <button class="without-ai-offer" form="composer" name="runbook" value=preset.id.to_string()>
                <Icon name="terminal"/>
                {format!("Run {} without AI", preset.label)}
            </button>
        }
    }))
}

/// A cost in dollars and cents. Formatting a float by itself would load more code than this page's style.
fn cents(dollars: f64) -> String {
    let cents = (dollars * 100.0).round() as u64;
    format!(" · ${}.{:02}", cents / 100, cents % 100)
}

/// One row.
fn row(row: Arc<Row>) -> Part {
    let (id, at) = (row.id, row.at);
    let key = id.0 * 2 + u64::from(is_ended(&row.item));
    let part = match &row.item {
        Item::Prompt { .. } => part(move || prompt(&row)),
        Item::Text { .. } => part(move || {
            let Item::Text { text } = &row.item else { return None };
            Some(view! { <li class="row"><div class="bubble agent prose">{prose(text)}</div></li> })
        }),
        Item::Tool { .. } | Item::Permission { .. } => {
            part(move || fold(id, tool(&row.item).or_else(|| permission(&row.item))))
        }
        Item::Figures { .. } => part(move || {
            let Item::Figures { figures } = &row.item else { return None };
            #[expect(clippy::disallowed_methods, reason = "rendered by `bars`, which escapes every text in it")]
            let row = leptos::html::li().class("row figures-row").inner_html(bars(figures));
            Some(row)
        }),
        Item::Run { .. } | Item::Note { .. } | Item::Finished { .. } => part(move || note(&row.item, at)),
    };
    part.keyed(key)
}

fn prompt(row: &Row) -> impl IntoView + use<> {
    let Item::Prompt { text, by, steered } = &row.item else { return None };
    let way = if *steered { " · into the running turn · " } else { " · " };
    Some(view! {
        <li class="row prompt">
            <div class="bubble operator">{shown(text)}</div>
            <p class="meta">{format!("{by}{way}")}<Clock at=row.at/></p>
        </li>
    })
}

/// A line between the bubbles.
fn note(item: &Item, at: Millis) -> impl IntoView + use<> {
    let (class, look, icon, what, words, at) = match item {
        Item::Run { verb, by, end, .. } => {
            let (look, words) = match end {
                None => ("running", "running".to_owned()),
                Some(end) => end.outcome.told(end.exit_code),
            };
            let icon = if look == "unknown" { "alert" } else { "power" };
            ("row note run-row", look, icon, verb.as_str(), format!(" {words} · {by}"), Some(at))
        }
        Item::Note { tone, text } => {
            let (class, icon) = match tone {
                Tone::Info => ("row note", "info"),
                Tone::Warning => ("row note warning", "alert"),
                Tone::Error => ("row note error", "alert"),
                Tone::Stopped => ("row note stopped", "stop"),
            };
            (class, "", icon, "", shown(text), None)
        }
        Item::Finished { duration_ms, cost_usd, .. } => {
            let cost = cost_usd.map(cents).unwrap_or_default();
            let words = format!("Finished in {}{cost}", duration_text(*duration_ms));
            ("row note finished", "", "check", "", words, Some(at))
        }
        _ => return None,
    };
    let what = (!what.is_empty()).then(|| part(move || view! { <strong>{what}</strong> }));
    let dot = if at.is_some() { " · " } else { "" };
    let at = at.map(|at| part(move || view! { <Clock at/> }));
    Some(view! {
        <li class=class data-state=look>
            <Icon name=icon/>
            <span>{Parts::from(what)}{words + dot}{Parts::from(at)}</span>
        </li>
    })
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
    Some(Fold { class, look, icon, label, facts, name: name.clone(), line: shown(line.trim()), output })
}

/// True for the tools that run a command: it speaks for itself.
fn is_command(tool: &str) -> bool {
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

/// A row that folds out.
fn fold(id: EntryId, fold: Option<Fold>) -> impl IntoView {
    fold.map(|Fold { class, look, icon, label, facts, name, line, output }| {
        let (text, cut) = output.unzip();
        let output = text.map(|text| part(move || view! { <Output text/> }));
        let output: Vec<_> = output.into_iter().chain(cut.flatten().map(cut_line)).collect();
        view! {
            <li class=class data-state=look>
                // Named, so that what somebody opened can be opened again when its second half makes it anew.
                <details id=format!("tool-{id}")>
                    <summary>
                        <Icon name=icon/>
                        <span class="tool-label">{shown(&label)}</span>
                        <span class="tool-facts">{facts}</span>
                    </summary>
                    {command(name, line)}
                    {Parts::from(output)}
                </details>
            </li>
        }
    })
}

/// That there was more, with the way to all of it where the console has it.
fn cut_line(Cut(whole): Cut) -> Part {
    let session = State::current().session_id();
    part(move || {
        let words = if whole.is_some() { "Output cut here: " } else { "Output cut here: there was more." };
        let whole = whole.map(|(tool_id, bytes)| {
            part(move || {
                let href = format!("/api/session/{session}/output/{tool_id}");
                view! { <a href=href target="_blank" rel="noopener">{format!("whole output, {}", size_text(bytes))}</a> }
            })
        });
        view! { <p class="cut">{words}{Parts::from(whole)}</p> }
    })
}

/// What a tool does, in full. It can be reached by keys, because it scrolls.
pub(super) fn command(tool: String, line: String) -> impl IntoView {
    view! { <pre class="command" tabindex="0" aria-label=tool><code>{line}</code></pre> }
}

/// What a command or a host wrote. It stands in an element of its own, because a parser drops the first line end of `pre`.
#[component]
fn Output(text: String) -> impl IntoView {
    view! { <pre class="output" tabindex="0"><samp>{shown(&text)}</samp></pre> }
}

/// A time of day. The server says it in UTC; the browser's part puts its own in place.
#[component]
fn Clock(at: Millis) -> impl IntoView {
    view! { <time data-at=at.0.to_string()>{at.utc_clock()}" UTC"</time> }
}
