//! What a house changes in the presets that it has: a field of one, or a preset of its own.

use serde::Deserialize;

use super::{Preset, PresetFault, PresetId, Step};

/// A preset as a house writes it: of one that there is already, what it says is changed and the rest stays; of a new one it
/// says everything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetChange {
    /// Which.
    pub id: PresetId,
    /// See [`Preset`], as all that follow.
    pub label: Option<String>,
    /// The icon's name.
    pub icon: Option<String>,
    /// One line.
    pub hint: Option<String>,
    /// What an agent is asked.
    pub prompt: Option<String>,
    /// The targets that it is for.
    pub targets: Option<Vec<String>>,
    /// The runbook, all of it.
    pub step: Option<Vec<Step>>,
}

impl PresetChange {
    /// Makes the change in a list: at its place where it is there, else at the end.
    pub fn make(self, list: &mut Vec<Preset>) -> Result<(), PresetFault> {
        let place = list.iter().position(|preset| preset.id == self.id);
        let changed = self.over(place.map(|place| list[place].clone()))?;
        changed.check()?;
        match place {
            Some(place) => list[place] = changed,
            None => list.push(changed),
        }
        Ok(())
    }

    fn over(self, old: Option<Preset>) -> Result<Preset, PresetFault> {
        let PresetChange { id, label, icon, hint, prompt, targets, step } = self;
        if let Some(old) = old {
            return Ok(Preset {
                id,
                label: label.unwrap_or(old.label),
                icon: icon.unwrap_or(old.icon),
                hint: hint.unwrap_or(old.hint),
                prompt: prompt.unwrap_or(old.prompt),
                targets: targets.unwrap_or(old.targets),
                step: step.unwrap_or(old.step),
            });
        }
        let missing = |field| PresetFault::Missing { id: id.clone(), field };
        Ok(Preset {
            label: label.ok_or_else(|| missing("label"))?,
            icon: icon.ok_or_else(|| missing("icon"))?,
            hint: hint.ok_or_else(|| missing("hint"))?,
            prompt: prompt.ok_or_else(|| missing("prompt"))?,
            targets: targets.unwrap_or_default(),
            step: step.ok_or_else(|| missing("[[preset.step]]"))?,
            id,
        })
    }
}
