//! What must hold of a session's log, given what clients saw and what prompters were told. Pure: each check takes
//! evidence and gives what is wrong with it, in words; nothing when all is well.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    event::{Entry, Event},
    transcript::Transcript,
};

use super::{prompter::Asked, seen::Seen};

/// The whole log of a session, as it is replayed.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub session: String,
    /// Ids and data, in the order in which they came.
    pub frames: Vec<(u64, String)>,
}

impl Log {
    /// Its entries, those that are some.
    pub fn entries(&self) -> Vec<Entry> {
        self.frames.iter().filter_map(|(_, data)| serde_json::from_str(data).ok()).collect()
    }
}

/// Ids begin at 0 and have no gaps, and each entry says its own.
pub fn ids(log: &Log) -> Vec<String> {
    let mut wrong = Vec::new();
    for (place, (id, data)) in (0..).zip(&log.frames) {
        let said = serde_json::from_str::<Entry>(data).map(|entry| entry.id.0);
        if place != *id || said.as_ref().ok() != Some(id) {
            wrong.push(format!("entry {place} of {} has id {id} and says {said:?}", log.session));
        }
    }
    wrong
}

/// A client holds the log: what it saw under an id is what stands there, nothing is missing, and its fold is the log's.
pub fn client(name: &str, seen: &Seen, log: &Log) -> Vec<String> {
    let mut wrong: Vec<_> = seen.faults.iter().map(|fault| format!("{name}: {fault}")).collect();
    let logged: BTreeMap<_, _> = log.frames.iter().map(|(id, data)| (*id, data)).collect();
    for (id, data) in &seen.frames {
        match logged.get(id) {
            Some(logged) if *logged == data => {}
            Some(logged) => wrong.push(format!("{name} saw entry {id} as {data}, and the log has {logged}")),
            None => wrong.push(format!("{name} saw entry {id}, {data}, which the log does not have")),
        }
    }
    for id in logged.keys().filter(|id| !seen.frames.contains_key(id)) {
        wrong.push(format!("{name} was never given entry {id}"));
    }
    if seen.transcript != Transcript::of(&log.entries()) {
        wrong.push(format!("the fold of {name} is not the log's"));
    }
    wrong
}

/// Each acknowledged prompt stands in its session once; one that was not acknowledged, once or not at all; and nothing
/// stands there that nobody asked for. `asked` is all that was sent into this session.
pub fn prompts(log: &Log, asked: &[&Asked]) -> Vec<String> {
    let mut standing: BTreeMap<String, usize> = BTreeMap::new();
    for entry in log.entries() {
        if let Event::User { text, .. } = entry.event {
            *standing.entry(text).or_default() += 1;
        }
    }
    let mut bounds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in asked {
        let (least, most) = bounds.entry(&one.text).or_default();
        *least += usize::from(one.acknowledged);
        *most += 1;
    }
    let mut wrong = Vec::new();
    for (text, count) in &standing {
        if !bounds.contains_key(text.as_str()) {
            wrong.push(format!("{} has {count} times a prompt that nobody sent: {text}", log.session));
        }
    }
    for (text, (least, most)) in bounds {
        let count = standing.get(text).copied().unwrap_or(0);
        if !(least..=most).contains(&count) {
            wrong.push(format!("{least} of {most} acknowledged, and {count} stand in {}: {text}", log.session));
        }
    }
    wrong
}

/// Each turn that began has one end, and what belongs to a turn stands in one.
pub fn turns(log: &Log) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut open = None;
    let mut tools = BTreeSet::new();
    let mut results = BTreeSet::new();
    for Entry { id, event, .. } in log.entries() {
        let mut fault = |words: &str| wrong.push(format!("{} entry {id} ({}): {words}", log.session, event.kind()));
        match &event {
            Event::User { steered: false, .. } => {
                if let Some(begun) = open.replace(id) {
                    fault(&format!("the turn of entry {begun} has no end"));
                }
            }
            Event::TurnEnd => open.take().map_or_else(|| fault("an end without a turn"), drop),
            // A run is somebody's tap, whatever the session does; and what it did is looked at in its own time.
            Event::Verb { .. } | Event::Check { .. } => {}
            _ if open.is_none() => fault("outside of a turn"),
            Event::Tool { tool_id, .. } if !tools.insert(tool_id.clone()) => fault("a tool id that was used before"),
            Event::ToolResult { tool_id, .. } => {
                let first = tools.contains(tool_id) && results.insert(tool_id.clone());
                if !first {
                    fault("a result of no tool, or a second one");
                }
            }
            _ => {}
        }
    }
    if let Some(begun) = open {
        wrong.push(format!("the turn of entry {begun} of {} never ended", log.session));
    }
    wrong
}

/// A turn's end is told in one way: a result, an error, or that it was stopped.
pub fn endings(log: &Log) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut told = Vec::new();
    for Entry { id, event, .. } in log.entries() {
        match event {
            Event::User { steered: false, .. } => told.clear(),
            Event::Result { .. } | Event::Error { .. } | Event::Cancelled { .. } => told.push(event.kind()),
            Event::TurnEnd if told.len() != 1 => {
                wrong.push(format!("the turn that ends at entry {id} of {} is told to end by {told:?}", log.session));
            }
            _ => {}
        }
    }
    wrong
}

/// A prompt's command ran at most once, and where its result stands, exactly once. `effects` are the words that commands
/// left behind.
pub fn effects(log: &Log, asked: &[&Asked], effects: &[&str]) -> Vec<String> {
    let tokens: BTreeMap<_, _> =
        asked.iter().filter_map(|one| Some((one.text.as_str(), one.token.as_deref()?))).collect();
    let ran = |token: &str| effects.iter().filter(|effect| **effect == token).count();
    let mut wrong = Vec::new();
    for token in tokens.values().filter(|token| ran(token) > 1) {
        wrong.push(format!("the command of {token} ran {} times", ran(token)));
    }
    let mut of_turn = None;
    for Entry { id, event, .. } in log.entries() {
        match event {
            Event::User { text, .. } => of_turn = tokens.get(text.as_str()).copied(),
            Event::ToolResult { exit_code: Some(code), output, .. } => {
                let Some(token) = of_turn else { continue };
                if ran(token) != 1 {
                    wrong.push(format!(
                        "entry {id} says that {token} ended with {code}, and it ran {} times",
                        ran(token)
                    ));
                }
                // The other commands count up, or say nothing.
                if output.contains('-') && output.trim() != token {
                    wrong.push(format!("entry {id} of {token} has the output of another: {output}"));
                }
            }
            _ => {}
        }
    }
    wrong
}
