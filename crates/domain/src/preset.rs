//! Presets: the one-tap diagnoses, as an operator writes them in `agents/presets.toml`.
//!
//! A preset has a prompt for an agent and a runbook, its steps, for when there is none. A list that does not keep the
//! rules cannot be had: reading one goes through [`Presets::new`]. This module knows no file and no TOML, only serde.
//!
//! **Invariant:** no step mutates. A step is a command that is shown, or a question to the hypervisor; power actions are
//! confirmed taps and nothing else.

use std::{collections::HashSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

mod change;
mod fault;

pub use change::PresetChange;
pub use fault::PresetFault;

use crate::{runbook::Reading, verb::Verb};

/// The most presets in a list: they stand in one row of chips on a phone.
pub const MOST_PRESETS: usize = 12;
/// The most steps of a preset: each may take 20 s.
pub const MOST_STEPS: usize = 20;

/// The icons that are drawn.
pub const ICONS: [&str; 12] =
    ["pulse", "memory", "disk", "services", "chip", "power", "search", "terminal", "alert", "info", "list", "check"];

const LONGEST_ID: usize = 32;
const LONGEST_LABEL: usize = 16;
const LONGEST_HINT: usize = 80;
const LONGEST_TITLE: usize = 80;
const LONGEST_PROMPT: usize = 8_000;
const LONGEST_COMMAND: usize = 4_000;
const LONGEST_TARGET: usize = 80;
const MOST_TARGETS: usize = 20;

/// All presets, in the order in which they are offered. Never empty, no id twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PresetsForm", into = "PresetsForm")]
pub struct Presets(Vec<Preset>);

impl Presets {
    /// The list, if it keeps the rules.
    pub fn new(presets: Vec<Preset>) -> Result<Self, PresetFault> {
        check(&presets)?;
        Ok(Self(presets))
    }

    /// The preset of that id.
    pub fn get(&self, id: &PresetId) -> Option<&Preset> {
        self.0.iter().find(|preset| preset.id == *id)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Preset> {
        self.0.iter()
    }

    /// What clients are told, in order.
    pub fn summaries(&self) -> Vec<PresetSummary> {
        self.iter().map(Preset::summary).collect()
    }
}

/// One preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name in calls and in the record.
    pub id: PresetId,
    /// The chip's text, at most 16 characters.
    pub label: String,
    /// The chip's icon, one of [`ICONS`].
    pub icon: String,
    /// One line, at most 80 characters: what it looks at.
    pub hint: String,
    /// What an agent is asked.
    pub prompt: String,
    /// The targets that it is for, by name or host; `*` stands for any letters. Empty where it is for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The runbook, in order.
    pub step: Vec<Step>,
}

impl Preset {
    /// True where it is offered for a target that has these names.
    pub fn is_for(&self, names: &[String]) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|pattern| names.iter().any(|name| matches(pattern, name)))
    }

    /// Whether it keeps the rules.
    pub fn check(&self) -> Result<(), PresetFault> {
        let id = || self.id.clone();
        let one_line = |text: &str, most| fits(text, most) && !text.contains('\n');
        let targets =
            self.targets.len() <= MOST_TARGETS && self.targets.iter().all(|one| one_line(one, LONGEST_TARGET));
        for (field, good, most) in [
            ("label", one_line(&self.label, LONGEST_LABEL), LONGEST_LABEL),
            ("hint", one_line(&self.hint, LONGEST_HINT), LONGEST_HINT),
            ("prompt", fits(&self.prompt, LONGEST_PROMPT), LONGEST_PROMPT),
            ("each of at most 20 targets", targets, LONGEST_TARGET),
        ] {
            if !good {
                return Err(PresetFault::Field { id: id(), field, most });
            }
        }
        if !ICONS.contains(&self.icon.as_str()) {
            return Err(PresetFault::Icon { id: id(), icon: self.icon.clone() });
        }
        if self.step.is_empty() || self.step.len() > MOST_STEPS {
            return Err(PresetFault::Steps { id: id(), count: self.step.len() });
        }
        Ok(())
    }

    /// What clients are told of it.
    pub fn summary(&self) -> PresetSummary {
        PresetSummary {
            id: self.id.clone(),
            label: self.label.clone(),
            icon: self.icon.clone(),
            hint: self.hint.clone(),
        }
    }
}

/// What clients are told of a preset: enough for its chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetSummary {
    /// Its name in calls.
    pub id: PresetId,
    /// The chip's text.
    pub label: String,
    /// The chip's icon, by name.
    pub icon: String,
    /// What it looks at, in one line.
    pub hint: String,
}

/// A preset's name: 1 to 32 of a–z, 0–9 and `-`, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PresetId(String);

impl PresetId {
    /// As it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PresetId {
    type Err = PresetFault;

    fn from_str(text: &str) -> Result<Self, PresetFault> {
        if text.len() <= LONGEST_ID && is_name(text) { Ok(Self(text.to_owned())) } else { Err(PresetFault::Id) }
    }
}

impl TryFrom<String> for PresetId {
    type Error = PresetFault;

    fn try_from(text: String) -> Result<Self, PresetFault> {
        text.parse()
    }
}

impl From<PresetId> for String {
    fn from(id: PresetId) -> Self {
        id.0
    }
}

impl fmt::Display for PresetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One step of a runbook. Its fields are closed, so that a step which mutates cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StepForm", into = "StepForm")]
pub struct Step {
    title: String,
    action: Action,
    reads: Reading,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A POSIX sh command on the target.
    Command(String),
    /// A question to the hypervisor. Never a verb that mutates.
    Verb(Verb),
}

impl Step {
    /// A step that runs a command on the target.
    pub fn command(title: &str, run: &str, reads: Reading) -> Result<Self, PresetFault> {
        Self::new(title.to_owned(), Action::Command(run.to_owned()), reads)
    }

    /// A step that asks the hypervisor; it is read by the rule of that verb.
    pub fn verb(title: &str, verb: Verb) -> Result<Self, PresetFault> {
        let reads = Reading::of_verb(verb).unwrap_or(Reading::Nothing);
        Self::new(title.to_owned(), Action::Verb(verb), reads)
    }

    /// What it is called in the transcript.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it does.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Which rule reads its output.
    pub fn reads(&self) -> Reading {
        self.reads
    }

    fn new(title: String, action: Action, reads: Reading) -> Result<Self, PresetFault> {
        if !fits(&title, LONGEST_TITLE) || title.contains('\n') {
            return Err(PresetFault::StepTitle { title });
        }
        match &action {
            Action::Command(run) if !fits(run, LONGEST_COMMAND) => Err(PresetFault::StepCommand { title }),
            Action::Command(_) if reads.of_hypervisor() => Err(PresetFault::StepReads { title }),
            Action::Verb(verb) if verb.mutates() => Err(PresetFault::StepMutates { title, verb: *verb }),
            Action::Verb(verb) if reads != Reading::Nothing && Reading::of_verb(*verb) != Some(reads) => {
                Err(PresetFault::StepReads { title })
            }
            Action::Command(_) | Action::Verb(_) => Ok(Self { title, action, reads }),
        }
    }
}

/// The list as TOML has it: `[[preset]]`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetsForm {
    #[serde(default)]
    preset: Vec<Preset>,
}

impl TryFrom<PresetsForm> for Presets {
    type Error = PresetFault;

    fn try_from(form: PresetsForm) -> Result<Self, PresetFault> {
        Self::new(form.preset)
    }
}

impl From<Presets> for PresetsForm {
    fn from(presets: Presets) -> Self {
        Self { preset: presets.0 }
    }
}

/// A step as TOML has it: `[[preset.step]]`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepForm {
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verb: Option<Verb>,
    reads: Reading,
}

impl TryFrom<StepForm> for Step {
    type Error = PresetFault;

    fn try_from(form: StepForm) -> Result<Self, PresetFault> {
        let action = match (form.run, form.verb) {
            (Some(run), None) => Action::Command(run),
            (None, Some(verb)) => Action::Verb(verb),
            (Some(_), Some(_)) | (None, None) => return Err(PresetFault::StepAction { title: form.title }),
        };
        Self::new(form.title, action, form.reads)
    }
}

impl From<Step> for StepForm {
    fn from(step: Step) -> Self {
        let (run, verb) = match step.action {
            Action::Command(run) => (Some(run), None),
            Action::Verb(verb) => (None, Some(verb)),
        };
        Self { title: step.title, run, verb, reads: step.reads }
    }
}

fn check(presets: &[Preset]) -> Result<(), PresetFault> {
    if presets.is_empty() {
        return Err(PresetFault::Empty);
    }
    if presets.len() > MOST_PRESETS {
        return Err(PresetFault::TooMany { count: presets.len() });
    }
    let mut ids = HashSet::new();
    for preset in presets {
        if !ids.insert(&preset.id) {
            return Err(PresetFault::Twice { id: preset.id.clone() });
        }
        preset.check()?;
    }
    Ok(())
}

/// Whether a name is one of a pattern's, in which `*` stands for any letters. Upper and lower case are alike.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.trim().to_lowercase(), name.to_lowercase());
    let mut pieces = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// True for text that says something, is not too long, and has no control characters but line ends and tabs: a NUL
/// cannot be an argument of a process.
fn fits(text: &str, most: usize) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= most
        && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests;
