//! The presets of this console: those that are built in, or the agents folder's, with what the house changes in them. What
//! is wrong in a file is told with its line, before the console begins to serve.

use std::path::{Path, PathBuf};

use domain::preset::{Preset, PresetChange, PresetFault, PresetId, Presets};
use serde::Deserialize;
use toml::Spanned;

use super::config::Config;

/// The presets that are built in, so that the program needs no file beside it.
const BUILT_IN: &str = include_str!("../../agents/presets.toml");

/// Why there are no presets.
#[derive(Debug, thiserror::Error)]
pub enum PresetsError {
    #[error("cannot read the presets {path}: {source}: make the file readable, or set `presets` to where it is")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the presets {path} are wrong in line {line}: {problem}")]
    Wrong { path: PathBuf, line: usize, problem: String },
}

/// A file of presets: changes, and their order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// These come first, in this order.
    #[serde(default)]
    order: Vec<Spanned<PresetId>>,
    /// These are not offered.
    #[serde(default)]
    hide: Vec<Spanned<PresetId>>,
    #[serde(default)]
    preset: Vec<Spanned<PresetChange>>,
}

/// The presets that are offered for this console's target.
pub fn read(config: &Config) -> Result<Presets, PresetsError> {
    let own = config.agents_dir.as_ref().map(|folder| folder.join("presets.toml")).filter(|path| path.exists());
    let mut list = Vec::new();
    let mut last = PathBuf::from("agents/presets.toml");
    match own {
        // All of it is the house's.
        Some(path) => {
            lay(&mut list, &path, &text_of(&path)?)?;
            last = path;
        }
        None => lay(&mut list, &last, BUILT_IN)?,
    }
    if let Some(path) = &config.presets {
        lay(&mut list, path, &text_of(path)?)?;
        last.clone_from(path);
    }
    list.retain(|preset| preset.is_for(&config.target_names));
    Presets::new(list).map_err(|fault| PresetsError::Wrong { path: last, line: 1, problem: fault.to_string() })
}

fn text_of(path: &Path) -> Result<String, PresetsError> {
    std::fs::read_to_string(path).map_err(|source| PresetsError::Unreadable { path: path.to_owned(), source })
}

/// Lays a file over what there is.
fn lay(list: &mut Vec<Preset>, path: &Path, text: &str) -> Result<(), PresetsError> {
    let wrong = |at: usize, problem: String| {
        let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        PresetsError::Wrong { path: path.to_owned(), line, problem }
    };
    let file: File = toml::from_str(text)
        .map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    let fault = |at, fault: PresetFault| wrong(at, fault.to_string());
    let mut seen = Vec::new();
    for change in file.preset {
        let (at, change) = (change.span().start, change.into_inner());
        if seen.contains(&change.id) {
            return Err(fault(at, PresetFault::Twice { id: change.id }));
        }
        seen.push(change.id.clone());
        change.make(list).map_err(|problem| fault(at, problem))?;
    }
    for (place, id) in file.order.into_iter().enumerate() {
        let at = find(list, &id).map_err(|problem| fault(id.span().start, problem))?;
        if at < place {
            return Err(fault(id.span().start, PresetFault::Twice { id: id.into_inner() }));
        }
        let preset = list.remove(at);
        list.insert(place, preset);
    }
    for id in file.hide {
        let at = find(list, &id).map_err(|problem| fault(id.span().start, problem))?;
        list.remove(at);
    }
    Ok(())
}

fn find(list: &[Preset], id: &Spanned<PresetId>) -> Result<usize, PresetFault> {
    let id = id.get_ref();
    list.iter().position(|preset| preset.id == *id).ok_or_else(|| PresetFault::Unknown {
        id: id.clone(),
        known: list.iter().map(|preset| preset.id.clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VPN: &str = "[[preset]]\nid = 'vpn'\nlabel = 'VPN'\nicon = 'search'\nhint = 'h'\nprompt = 'p'\n\
                       [[preset.step]]\ntitle = 't'\nrun = 'true'\nreads = 'none'\n";

    fn laid(text: &str) -> Result<Vec<Preset>, String> {
        let mut list = Vec::new();
        let path = Path::new("house.toml");
        lay(&mut list, path, BUILT_IN).and_then(|()| lay(&mut list, path, text)).map_err(|error| error.to_string())?;
        Ok(list)
    }

    fn ids(list: &[Preset]) -> Vec<&str> {
        list.iter().map(|preset| preset.id.as_str()).collect()
    }

    #[test]
    fn a_house_adds_orders_hides_and_changes_without_copying() {
        let list = laid(&format!(
            "order = ['vpn', 'disk']\nhide = ['qemu']\n{VPN}[[preset]]\nid = 'disk'\nicon = 'alert'\nlabel = 'Full?'\n"
        ))
        .unwrap();
        assert_eq!(ids(&list), ["vpn", "disk", "triage", "memory", "services"]);
        assert_eq!((list[1].icon.as_str(), list[1].label.as_str()), ("alert", "Full?"));
        assert_eq!(list[1].step.len(), laid("").unwrap()[2].step.len(), "what it does not say stays");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_to_do() {
        for (text, line, words) in [
            ("order = ['disk',\n 'disks']", 2, "there is no preset disks: there are disk, triage, memory"),
            ("order = ['disk', 'disk']", 1, "stands twice"),
            ("hide = ['x y']", 1, "a preset id is"),
            ("\n\nhidden = ['disk']", 3, "unknown field `hidden`"),
            ("\n[[preset]]\nid = 'disk'\nicon = 'globe'", 2, "there is no icon \"globe\": take one of pulse"),
            ("[[preset]]\nid = 'disk'\nlable = 'x'", 3, "unknown field `lable`"),
            ("[[preset]]\nid = 'disk'\n[[preset]]\nid = 'disk'", 3, "preset id disk stands twice"),
            ("[[preset]]\nid = 'disk'\nlabel = ''", 1, "label must be 1 to 16"),
            ("[[preset]]\nid = 'disk'\nlabel = 'longer than sixteen'", 1, "label must be 1 to 16"),
            ("[[preset]]\nid = 'new'\nlabel = 'New'", 1, "preset new is a new one and has no icon"),
            (
                "[[preset]]\nid = 'disk'\n[[preset.step]]\ntitle = 't'\nverb = 'cycle'\nreads = 'none'",
                3,
                "cycle changes the vm's state",
            ),
            ("id = ", 1, ""),
        ] {
            let error = laid(text).unwrap_err();
            assert!(
                error.starts_with(&format!("the presets house.toml are wrong in line {line}: ")),
                "{text}: {error}"
            );
            assert!(error.contains(words) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
