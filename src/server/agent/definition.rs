//! The agent's definition, as an operator writes it: frontmatter (name, description, model, tools), then its
//! instructions; and beside it an optional `local.md` with the house's own runbooks and past incidents. The latter is put
//! into the agent's folder and not into its command line, which everybody on the machine can read.

use std::path::{Path, PathBuf};

use claude_cli::argv::Definition;

/// The definition that is built in, so that the program needs no file beside it.
const BUILT_IN: &str = include_str!("../../../agents/breakglass.md");
/// The name of what is built in.
const BUILT_IN_NAME: &str = "breakglass";

/// Why there is no definition.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    #[error("cannot read the agent's definition {path}: {source}: see BREAKGLASS_AGENTS_DIR and BREAKGLASS_AGENT")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the agent's definition {path} is wrong: {problem}")]
    Malformed { path: String, problem: &'static str },
    #[error(
        "the agent's definition {path} has {bytes} bytes, and {MOST_BYTES} is the limit: put what is long into local.md"
    )]
    TooLong { path: String, bytes: usize },
}

/// An agent, and what its house adds.
#[derive(Clone, Debug)]
pub struct Read {
    pub definition: Definition,
    /// The house's own words, where there are some.
    pub house: Option<String>,
}

/// The name under which the house's words stand in the agent's folder.
pub const HOUSE: &str = "house.md";
/// How long a definition may be, in bytes: it is an argument of a command line, of which the kernel takes 128 KiB.
const MOST_BYTES: usize = 64 << 10;

/// Reads the definition of that name, from `folder` where one is configured.
pub fn read(folder: Option<&Path>, name: &str) -> Result<Read, DefinitionError> {
    let file = |path: PathBuf| {
        std::fs::read_to_string(&path).map_err(|source| DefinitionError::Unreadable { path: path.clone(), source })
    };
    let own = folder.map(|folder| folder.join(format!("{name}.md")));
    let (path, text) = match own {
        Some(path) if path.exists() || name != BUILT_IN_NAME => (path.display().to_string(), file(path)?),
        None if name != BUILT_IN_NAME => {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(DefinitionError::Unreadable { path: format!("{name}.md").into(), source });
        }
        _ => ("built in".to_owned(), BUILT_IN.to_owned()),
    };
    if text.len() > MOST_BYTES {
        return Err(DefinitionError::TooLong { path, bytes: text.len() });
    }
    let mut definition = parsed(&text).map_err(|problem| DefinitionError::Malformed { path: path.clone(), problem })?;
    let local = folder.map(|folder| folder.join("local.md")).filter(|local| local.exists());
    let house = local.map(file).transpose()?;
    if house.is_some() {
        definition.prompt.push_str(&format!(
            "\n\nThis house has written down its own runbooks and past incidents: read `{HOUSE}` in your working \
             directory before you begin."
        ));
    }
    Ok(Read { definition, house })
}

fn parsed(text: &str) -> Result<Definition, &'static str> {
    let rest = text.strip_prefix("---\n").ok_or("it must begin with frontmatter between two lines `---`")?;
    let (front, prompt) = rest.split_once("\n---\n").ok_or("its frontmatter does not end with a line `---`")?;
    let field =
        |name: &str| front.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()));
    let tools = field("tools").ok_or("its frontmatter has no `tools`")?;
    Ok(Definition {
        name: field("name").ok_or("its frontmatter has no `name`")?,
        description: field("description").ok_or("its frontmatter has no `description`")?,
        model: field("model").ok_or("its frontmatter has no `model`")?,
        tools: tools.split(',').map(|tool| tool.trim().to_owned()).filter(|tool| !tool.is_empty()).collect(),
        prompt: prompt.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_a_definition_without_the_web() {
        let definition = read(None, "breakglass").unwrap().definition;
        assert_eq!((definition.name.as_str(), definition.model.as_str()), ("breakglass", "sonnet"));
        assert!(definition.tools.iter().any(|tool| tool == "Bash"));
        assert!(!definition.tools.iter().any(|tool| tool.starts_with("Web")), "{:?}", definition.tools);
        assert!(definition.prompt.contains("ssh pve"));
    }

    #[test]
    fn a_house_adds_its_own_words_and_another_agent() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("local.md"), "The database is on /srv.").unwrap();
        let read_both = read(Some(folder.path()), "breakglass").unwrap();
        assert_eq!(read_both.house.as_deref(), Some("The database is on /srv."));
        assert!(read_both.definition.prompt.contains("house.md"));
        let own = "---\nname: night\ndescription: d\nmodel: haiku\ntools: Bash\n---\nBe brief.\n";
        std::fs::write(folder.path().join("night.md"), own).unwrap();
        let night = read(Some(folder.path()), "night").unwrap().definition;
        assert_eq!((night.model.as_str(), night.tools), ("haiku", vec!["Bash".to_owned()]));
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.md"), "---\nname: x\n---\n").unwrap();
        assert!(read(Some(folder.path()), "x").unwrap_err().to_string().contains("`tools`"));
        assert!(read(Some(folder.path()), "gone").unwrap_err().to_string().contains("gone.md"));
        assert!(read(None, "gone").is_err());
        std::fs::write(folder.path().join("long.md"), "x".repeat(MOST_BYTES + 1)).unwrap();
        assert!(read(Some(folder.path()), "long").unwrap_err().to_string().contains("65536"));
    }
}
