//! The fold: entries in, transcript out. The same entries give the same transcript, in whatever order, pieces or
//! repetitions they arrive.
//!
//! **Invariant:** [`Transcript::apply`] is idempotent and commutes with itself. Each entry has one place (its id); what
//! joins two entries (a tool and its result, a run's beginning and its end) is stored so that either may come first.

mod row;

use std::sync::Arc;

use serde_json::Value;

use crate::{
    event::{Entry, Event, Level},
    ids::{EntryId, Millis, RunId},
    permission::{Decision, questions},
    text,
    verb::Verb,
};

pub use row::{Item, PermissionEnd, Row, RunEnd, Tone, ToolEnd};

/// What a person sees of a session.
///
/// All of it is kept in sorted vectors: entries come almost always in order, and a map for each would cost a phone more
/// to load than it saves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    rows: Vec<Arc<Row>>,
    /// Entries that have no row of their own; remembered so that each is counted once.
    rowless: Vec<EntryId>,
    /// Where each tool and each run stands, and what is known of its end.
    tools: Vec<(String, Joined<ToolEnd>)>,
    runs: Vec<(String, Joined<RunEnd>)>,
    permissions: Vec<(String, Joined<PermissionEnd>)>,
    last_user: Option<EntryId>,
    last_turn_end: Option<EntryId>,
}

/// Two entries that make one row.
#[derive(Clone, Debug, PartialEq)]
struct Joined<End> {
    begin: Option<EntryId>,
    end: Option<(EntryId, Millis, End)>,
}

/// The place of a name in a list that is sorted by names, made if it is not there.
fn joined<'a, End>(list: &'a mut Vec<(String, Joined<End>)>, name: &str) -> &'a mut Joined<End> {
    let place = match list.binary_search_by(|(other, _)| other.as_str().cmp(name)) {
        Ok(place) => place,
        Err(place) => {
            list.insert(place, (name.to_owned(), Joined::default()));
            place
        }
    };
    &mut list[place].1
}

impl<End> Default for Joined<End> {
    fn default() -> Self {
        Joined { begin: None, end: None }
    }
}

impl Transcript {
    /// The transcript of these entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut transcript = Self::default();
        for entry in entries {
            transcript.apply(entry);
        }
        transcript
    }

    /// The rows, oldest first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.rows.iter()
    }

    /// True while there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether a turn is open: between a prompt and the end of its turn. Nothing where neither of them is among what was
    /// folded in, as in the tail of a very long turn.
    pub fn turn_open(&self) -> Option<bool> {
        let known = self.last_user.or(self.last_turn_end).is_some();
        known.then_some(self.last_user > self.last_turn_end)
    }

    /// What was asked in the newest turn, when that turn failed and nothing has happened since. Empty where the question
    /// is not among what was folded in.
    pub fn failed(&self) -> Option<&str> {
        let Item::Note { tone: Tone::Error, .. } = self.rows.last()?.item else {
            return None;
        };
        let asked = self.rows.iter().rev().find_map(|row| match &row.item {
            Item::Prompt { text, steered: false, .. } => Some(text.as_str()),
            _ => None,
        });
        (self.turn_open() == Some(false)).then_some(asked.unwrap_or_default())
    }

    /// The oldest entry folded in, from which older ones are asked for.
    pub fn oldest(&self) -> Option<EntryId> {
        let row = self.rows.first().map(|row| row.id);
        let rowless = self.rowless.first().copied();
        row.into_iter().chain(rowless).min()
    }

    /// The newest entry folded in, which is the cursor of the next attach.
    pub fn newest(&self) -> Option<EntryId> {
        let row = self.rows.last().map(|row| row.id);
        row.max(self.rowless.last().copied())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Forgets the oldest entries, so that `rows` rows are left, and what waits for a decision in any case. What is forgotten
    /// can be folded in again, from [`Transcript::oldest`] backwards.
    pub fn forget_oldest(&mut self, rows: usize) {
        let waiting = self.rows.iter().position(|row| row.waits()).unwrap_or(usize::MAX);
        let first = self.rows.len().saturating_sub(rows.max(1)).min(waiting);
        if let Some(first) = self.rows.get(first).map(|row| row.id) {
            self.keep(|id| id >= first);
        }
    }

    /// Forgets the newest entries, so that `rows` rows are left. What is forgotten can be folded in again, from
    /// [`Transcript::newest`] onwards.
    pub fn forget_newest(&mut self, rows: usize) {
        if let Some(last) = self.rows.get(rows.max(1) - 1).map(|row| row.id) {
            self.keep(|id| id <= last);
        }
    }

    /// What is known of an end or of a turn stays, where it concerns what is kept: it is true whatever is shown.
    fn keep(&mut self, kept: impl Fn(EntryId) -> bool) {
        self.rows.retain(|row| kept(row.id));
        self.rowless.retain(|id| kept(*id));
        // Tools have outputs, which may be long; what is known of the others is little and rare.
        self.tools.retain(|(_, joined)| {
            let end = joined.end.as_ref().map(|end| end.0);
            joined.begin.is_some_and(&kept) || end.is_some_and(&kept)
        });
    }

    /// Folds one entry in. Says whether it was new.
    pub fn apply(&mut self, entry: &Entry) -> bool {
        let id = entry.id;
        if self.row_at(id).is_ok() || self.rowless.binary_search(&id).is_ok() {
            return false;
        }
        match &entry.event {
            Event::User { text, by, steered } => {
                self.last_user = self.last_user.max(Some(id));
                self.row(entry, Item::Prompt { text: text.clone(), by: by.clone(), steered: *steered });
            }
            Event::Text { text } => self.row(entry, Item::Text { text: text.clone() }),
            Event::Tool { tool_id, name, input, parent } => {
                let text = |key: &str| input.get(key).and_then(|value| value.as_str()).map(str::to_owned);
                let (name, line, nested) = (name.clone(), line_of(input), parent.is_some());
                let title = text("title").or_else(|| text("description"));
                let abandoned = self.last_turn_end > Some(id);
                self.row(entry, Item::Tool { name, line, title, end: None, abandoned, nested });
                joined(&mut self.tools, tool_id).begin = Some(id);
                self.join_tool(tool_id);
            }
            Event::ToolResult { tool_id, output, is_error, exit_code, truncated, whole } => {
                let end = ToolEnd {
                    output: output.clone(),
                    is_error: *is_error,
                    exit_code: *exit_code,
                    truncated: *truncated,
                    whole: whole.map(|bytes| (tool_id.clone(), bytes)),
                    duration_ms: None,
                };
                self.rowless(id);
                joined(&mut self.tools, tool_id).end = Some((id, entry.at, end));
                self.join_tool(tool_id);
            }
            Event::Permission { request_id, tool, input } => {
                let (request_id, tool) = (request_id.clone(), tool.clone());
                joined(&mut self.permissions, &request_id).begin = Some(id);
                let (line, questions) = (line_of(input), questions(input));
                let item = Item::Permission { request_id: request_id.clone(), tool, line, questions, end: None };
                self.row(entry, item);
                self.join_permission(&request_id);
            }
            Event::Decision { request_id, decision, by, message } => {
                let end = PermissionEnd { decision: *decision, by: by.clone(), message: message.clone() };
                self.rowless(id);
                joined(&mut self.permissions, request_id).end = Some((id, entry.at, end));
                self.join_permission(request_id);
            }
            Event::Verb { run_id, verb, by, outcome: None, .. } => {
                self.run_row(entry, run_id, *verb, by);
            }
            Event::Verb { run_id, verb, by, outcome: Some(outcome), exit_code } => {
                // An end whose beginning is not here (yet) makes the row; a beginning that comes later moves it.
                let run = joined(&mut self.runs, run_id.as_str());
                run.end = Some((id, entry.at, RunEnd { outcome: *outcome, exit_code: *exit_code }));
                if run.begin.is_some() {
                    self.rowless(id);
                    self.join_run(run_id);
                } else {
                    let end = Some(RunEnd { outcome: *outcome, exit_code: *exit_code });
                    self.row(entry, Item::Run { run_id: run_id.clone(), verb: *verb, by: by.clone(), end });
                }
            }
            Event::Result { is_error: true, result, .. } => self.note(entry, Tone::Error, result.clone()),
            Event::Result { result, duration_ms, cost_usd, .. } => self
                .row(entry, Item::Finished { result: result.clone(), duration_ms: *duration_ms, cost_usd: *cost_usd }),
            Event::Error { error } => self.note(entry, Tone::Error, error.clone()),
            Event::Cancelled { by } => self.note(entry, Tone::Stopped, format!("Stopped by {by}")),
            Event::Notice { level: Level::Info, text } => self.note(entry, Tone::Info, text.clone()),
            Event::Notice { level: Level::Warning, text } => self.note(entry, Tone::Warning, text.clone()),
            Event::Check { ok, text: found, facts } => {
                let tone = if *ok { Tone::Info } else { Tone::Warning };
                let said = format!("Checked by the console: {found}");
                let mut lines = std::iter::once(said).chain(facts.iter().cloned());
                self.note(entry, tone, text::joined(&mut lines, "\n"));
            }
            Event::Figures { figures } => self.row(entry, Item::Figures { figures: figures.clone() }),
            Event::TurnEnd => {
                self.last_turn_end = self.last_turn_end.max(Some(id));
                self.rowless(id);
                self.abandon_tools();
                self.withdraw_permissions();
            }
            Event::Session { .. } | Event::Unknown => {
                self.rowless(id);
            }
        }
        true
    }

    fn row_at(&self, id: EntryId) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.id.cmp(&id))
    }

    fn row(&mut self, entry: &Entry, item: Item) {
        if let Err(place) = self.row_at(entry.id) {
            self.rows.insert(place, Arc::new(Row { id: entry.id, at: entry.at, item }));
        }
    }

    fn rowless(&mut self, id: EntryId) {
        if let Err(place) = self.rowless.binary_search(&id) {
            self.rowless.insert(place, id);
        }
    }

    fn note(&mut self, entry: &Entry, tone: Tone, text: String) {
        self.row(entry, Item::Note { tone, text });
    }

    fn join_tool(&mut self, tool_id: &str) {
        let Joined { begin: Some(begin), end: Some((_, ended, result)) } = joined(&mut self.tools, tool_id).clone()
        else {
            return;
        };
        if let Ok(place) = self.row_at(begin) {
            let row = Arc::make_mut(&mut self.rows[place]);
            let took = ended.since(row.at);
            if let Item::Tool { end, abandoned, .. } = &mut row.item {
                *end = Some(ToolEnd { duration_ms: Some(took), ..result });
                *abandoned = false;
            }
        }
    }

    /// No tool outlives its turn.
    fn abandon_tools(&mut self) {
        let open = |tool: &&(String, Joined<ToolEnd>)| tool.1.end.is_none() && tool.1.begin < self.last_turn_end;
        let begins: Vec<_> = self.tools.iter().filter(open).filter_map(|tool| tool.1.begin).collect();
        for begin in begins {
            if let Ok(place) = self.row_at(begin)
                && let Item::Tool { abandoned, .. } = &mut Arc::make_mut(&mut self.rows[place]).item
            {
                *abandoned = true;
            }
        }
    }

    /// The oldest permission that nobody has decided yet: the agent waits for it.
    pub fn waiting(&self) -> Option<&Arc<Row>> {
        self.rows.iter().find(|row| row.waits())
    }

    fn join_permission(&mut self, request_id: &str) {
        let Joined { begin: Some(begin), end } = joined(&mut self.permissions, request_id).clone() else {
            return;
        };
        let decided = end.map(|(_, _, end)| end);
        // No permission outlives its turn.
        let ended = decided.or_else(|| (self.last_turn_end > Some(begin)).then(PermissionEnd::withdrawn));
        if let Ok(place) = self.row_at(begin)
            && let Item::Permission { end, .. } = &mut Arc::make_mut(&mut self.rows[place]).item
        {
            *end = ended;
        }
    }

    fn withdraw_permissions(&mut self) {
        let open = self.permissions.iter().filter(|permission| permission.1.end.is_none());
        for request_id in open.map(|permission| permission.0.clone()).collect::<Vec<_>>() {
            self.join_permission(&request_id);
        }
    }

    fn run_row(&mut self, entry: &Entry, run_id: &RunId, verb: Verb, by: &str) {
        let run = joined(&mut self.runs, run_id.as_str());
        run.begin = Some(entry.id);
        // An end that was forgotten meanwhile is not shown, and comes again.
        if let Some((end_id, ..)) = run.end
            && let Ok(place) = self.row_at(end_id)
        {
            self.rows.remove(place);
            self.rowless(end_id);
        }
        self.row(entry, Item::Run { run_id: run_id.clone(), verb, by: by.to_owned(), end: None });
        self.join_run(run_id);
    }

    fn join_run(&mut self, run_id: &RunId) {
        let run = joined(&mut self.runs, run_id.as_str()).clone();
        let Joined { begin: Some(begin), end: Some((_, _, ended)) } = run else {
            return;
        };
        if let Ok(place) = self.row_at(begin)
            && let Item::Run { end, .. } = &mut Arc::make_mut(&mut self.rows[place]).item
        {
            *end = Some(ended);
        }
    }
}

impl Row {
    fn waits(&self) -> bool {
        matches!(&self.item, Item::Permission { end: None, .. })
    }
}

impl PermissionEnd {
    fn withdrawn() -> Self {
        PermissionEnd { decision: Decision::Withdrawn, by: String::new(), message: None }
    }
}

/// What a tool does, as one reads it: the command, where it is one.
fn line_of(input: &Value) -> String {
    input.get("command").and_then(|command| command.as_str()).map_or_else(|| fields(input), str::to_owned)
}

/// A tool's input as lines of `field: text`, for tools that have no command. Nothing is left out: somebody may be about to
/// allow it.
fn fields(input: &Value) -> String {
    match input {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => text::joined(&mut items.iter().map(fields), "\n"),
        Value::Object(members) => {
            // What is one line comes first: what a file is to be called before all that is to stand in it.
            let lines = members.iter().map(|(name, value)| format!("{name}: {}", fields(value)));
            let (long, short): (Vec<_>, Vec<_>) = lines.partition(|line| line.contains('\n'));
            text::joined(&mut short.into_iter().chain(long), "\n")
        }
    }
}

#[cfg(test)]
mod tests;
