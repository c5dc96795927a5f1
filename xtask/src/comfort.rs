//! The small script beside the program: `src/browser/comfort/main.js` lists the others, and one module is made of them, so
//! that the page waits for one download. Comments and indentation are taken out; all else is left as written.
//!
//! The modules are put after each other and share their names, so no name may stand at the top of two of them.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};

/// `entry` with each of its `import './file.js';` lines replaced by that file. The entry may contain nothing else, so
/// that the order is read in one place.
pub(crate) fn bundle(entry: &Path) -> Result<String> {
    let shown = entry.display();
    let list = fs::read_to_string(entry).with_context(|| format!("cannot read {shown}"))?;
    let mut script = String::new();
    let mut declared = BTreeMap::new();
    for line in lean(&list).lines() {
        let name = line.strip_prefix("import './").and_then(|rest| rest.strip_suffix("';"));
        let Some(name) = name else { bail!("{shown}: `{line}` is not of the form `import './file.js';`") };
        let file = entry.with_file_name(name);
        let text =
            fs::read_to_string(&file).with_context(|| format!("{shown} imports {name}, which cannot be read"))?;
        for declared_here in text.lines().filter_map(declaration) {
            if let Some(other) = declared.insert(declared_here.to_owned(), name.to_owned()) {
                bail!("{name} and {other} both declare `{declared_here}`, and they share their names");
            }
        }
        for line in lean(&text).lines().filter(|line| !line.starts_with("import ")) {
            script.push_str(line.strip_prefix("export ").unwrap_or(line));
            script.push('\n');
        }
    }
    Ok(script)
}

/// The name that a line declares for the whole module.
fn declaration(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = ["const ", "let ", "function ", "class "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|char: char| !char.is_alphanumeric() && char != '_' && char != '$')
        .next()
        .filter(|name| !name.is_empty())
}

/// Without blank lines, indentation, lines that are comments, and JSDoc wherever it stands. Our scripts have no text that
/// goes over lines and none with `/**` in it.
fn lean(script: &str) -> String {
    let mut code = String::with_capacity(script.len());
    let mut rest = script;
    while let Some((before, comment)) = rest.split_once("/**") {
        code.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.fold(String::new(), |lean, line| lean + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::{bundle, lean};
    use std::fs;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn comments_and_indentation_go_and_code_stays() {
        let script = "// head\n/**\n * Why.\n * @param {string} a\n */\nconst b = (a) => {\n  // more\n  return /** @type {any} */ (a);\n};\nconst url = 'https://x';\n";
        assert_eq!(lean(script), "const b = (a) => {\nreturn  (a);\n};\nconst url = 'https://x';\n");
    }

    #[test]
    fn modules_are_put_together_in_their_order() {
        let folder = folder(&[
            ("main.js", "// the order\nimport './b.js';\nimport './a.js';\n"),
            ("b.js", "export const b = 1;\n"),
            ("a.js", "import { b } from './b.js';\nexport function a() {\n  return b;\n}\n"),
        ]);
        let script = bundle(&folder.path().join("main.js")).unwrap();
        assert_eq!(script, "const b = 1;\nfunction a() {\nreturn b;\n}\n");
    }

    #[test]
    fn a_name_that_two_modules_declare_is_refused() {
        let folder = folder(&[
            ("main.js", "import './b.js';\nimport './a.js';\n"),
            ("b.js", "let show = 1;\n"),
            ("a.js", "export async function show() {}\n"),
        ]);
        let error = format!("{:#}", bundle(&folder.path().join("main.js")).unwrap_err());
        assert!(error.contains("a.js and b.js both declare `show`"), "{error}");
    }

    #[test]
    fn a_stray_statement_in_the_list_is_refused() {
        let folder = folder(&[("main.js", "alert(1);\n")]);
        assert!(format!("{:#}", bundle(&folder.path().join("main.js")).unwrap_err()).contains("alert(1);"));
    }
}
