//! The style sheet: `style/main.css` lists the others, and one file is made of them, so that the page waits for one
//! download. Comments and indentation are taken out. What is for the light ground is written once, for who chose it, and
//! said again for those whose device asks for it. All else is left as written.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

/// `entry` with each of its `@import "file.css";` lines replaced by that file. The entry may contain nothing else, so
/// that the order of the cascade is read in one place.
pub(crate) fn bundle(entry: &Path) -> Result<String> {
    let shown = entry.display();
    let list = fs::read_to_string(entry).with_context(|| format!("cannot read {shown}"))?;
    let mut sheet = String::new();
    for line in lean(&list).lines().map(str::trim).filter(|line| !line.is_empty()) {
        let name = line.strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";"));
        let Some(name) = name else { bail!("{shown}: `{line}` is not of the form `@import \"file.css\";`") };
        let file = entry.with_file_name(name);
        let text =
            fs::read_to_string(&file).with_context(|| format!("{shown} imports {name}, which cannot be read"))?;
        let text = lean(&text);
        if text.contains("@import") {
            bail!("{} has an @import: only {shown} may have them", file.display());
        }
        sheet.push_str(&text);
    }
    Ok(by_preference(&sheet))
}

/// The rule for who chose the light ground.
const CHOSEN: &str = ":root[data-theme=light] {\n";

/// Says what is for the light ground a second time, for who chose none and whose device asks for it.
fn by_preference(sheet: &str) -> String {
    let mut pieces = sheet.split(CHOSEN);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // The rule holds values alone, so its first brace at the start of a line ends it.
        let (values, after) = piece.split_once("\n}\n").unwrap_or((piece, ""));
        out.push_str(&format!("{CHOSEN}{values}\n}}\n"));
        out.push_str(&format!(
            "@media (prefers-color-scheme: light) {{\n:root:not([data-theme]) {{\n{values}\n}}\n}}\n"
        ));
        out.push_str(after);
    }
    out
}

/// What the scanner is inside of.
#[derive(Clone, Copy)]
enum Inside {
    Rules,
    /// A string, ended by the same quote.
    Text(char),
    Comment,
}

/// Without comments, blank lines and indentation. Strings are kept as they are. A comment that alone separates two
/// tokens (`a/**/b`) stays as an empty one, for neither joining them nor a space would mean the same.
fn lean(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut inside = Inside::Rules;
    let mut chars = css.chars().peekable();
    while let Some(char) = chars.next() {
        match (inside, char) {
            (Inside::Rules, '/') if chars.peek() == Some(&'*') => {
                chars.next();
                inside = Inside::Comment;
            }
            (Inside::Rules, _) if char.is_whitespace() && out.chars().next_back().is_none_or(|last| last == '\n') => {}
            (Inside::Rules, '\n' | '\r') => {
                out.truncate(out.trim_end().len());
                out.push('\n');
            }
            (Inside::Comment, '*') if chars.peek() == Some(&'/') => {
                chars.next();
                inside = Inside::Rules;
                let separates = !out.ends_with(char::is_whitespace) && !out.is_empty();
                if separates && chars.peek().is_some_and(|next| !next.is_whitespace()) {
                    out.push_str("/**/");
                }
            }
            (Inside::Comment, _) => {}
            (Inside::Text(quote), _) if char == quote => {
                out.push(char);
                inside = Inside::Rules;
            }
            (_, '\\') => {
                out.push(char);
                out.extend(chars.next());
            }
            (Inside::Rules, '"' | '\'') => {
                out.push(char);
                inside = Inside::Text(char);
            }
            _ => out.push(char),
        }
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{bundle, by_preference, lean};
    use std::fs;

    #[test]
    fn comments_and_indentation_go_and_strings_stay() {
        let css = "/* head */\n:root {\n  --a: 1px; /* why */\n\n  content: \"/* no  comment */ \\\" \";\n}\n";
        assert_eq!(lean(css), ":root {\n--a: 1px;\ncontent: \"/* no  comment */ \\\" \";\n}\n");
    }

    #[test]
    fn a_comment_between_two_tokens_keeps_them_apart() {
        assert_eq!(lean(".a/* x */.b { top: 0 }"), ".a/**/.b { top: 0 }\n");
    }

    #[test]
    fn the_light_ground_is_written_once_and_said_for_choice_and_for_preference() {
        let sheet = "a { top: 0 }\n:root[data-theme=light] {\n--ground: #fff;\n}\nb { top: 0 }\n";
        let said = by_preference(sheet);
        assert!(said.starts_with(sheet.strip_suffix("b { top: 0 }\n").unwrap()), "{said}");
        assert!(
            said.contains("(prefers-color-scheme: light) {\n:root:not([data-theme]) {\n--ground: #fff;\n}\n}\nb {"),
            "{said}"
        );
        assert_eq!(by_preference("a { top: 0 }\n"), "a { top: 0 }\n");
    }

    #[test]
    fn imports_are_put_together_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let entry = folder.path().join("main.css");
        fs::write(&entry, "/* the order */\n@import \"b.css\";\n@import \"a.css\";\n").unwrap();
        fs::write(folder.path().join("a.css"), "a { top: 0 }\n").unwrap();
        fs::write(folder.path().join("b.css"), "b { top: 0 }").unwrap();
        assert_eq!(bundle(&entry).unwrap(), "b { top: 0 }\na { top: 0 }\n");
    }

    #[test]
    fn a_missing_file_and_a_stray_rule_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let entry = folder.path().join("main.css");
        fs::write(&entry, "@import \"gone.css\";\n").unwrap();
        assert!(format!("{:#}", bundle(&entry).unwrap_err()).contains("gone.css"));
        fs::write(&entry, "body { margin: 0 }\n").unwrap();
        assert!(format!("{:#}", bundle(&entry).unwrap_err()).contains("body { margin: 0 }"));
    }
}
