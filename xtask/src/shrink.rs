//! Makes the client's files smaller than wasm-bindgen leaves them: what nobody calls goes, and what the two files call each
//! other by gets short names. A name such as `__wbg_byteLength_c5f3c188d5252e5b` stands in both, and its digits cannot be
//! compressed; there are two hundred of them.
//!
//! The JavaScript is changed line by line, as wasm-bindgen lays it out. Where a later version lays it out otherwise, the
//! files grow again; what the wasm imports is looked for in any case.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use walrus::ModuleConfig;

/// How what is exported and called by nobody begins: streams made in wasm, which a dependency of a dependency offers, and
/// a mark for a splitter of programs.
const UNUSED: [&str; 3] = ["__wbg_intounderlying", "intounderlying", "_WASM_SPLIT_MARKER"];
/// The JavaScript that goes with them.
const UNUSED_CLASSES: &str = "IntoUnderlying";

/// The glue and the program, made smaller.
pub(crate) fn shrink(js: &str, wasm: &[u8]) -> Result<(String, Vec<u8>)> {
    let mut module = ModuleConfig::new().generate_producers_section(false).generate_name_section(false).parse(wasm)?;
    let unused = module.exports.iter().filter(|export| UNUSED.iter().any(|start| export.name.starts_with(start)));
    for export in unused.map(walrus::Export::id).collect::<Vec<_>>() {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(&mut module);
    let mut names = BTreeMap::new();
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    for name in imports.chain(module.exports.iter_mut().map(|export| &mut export.name)) {
        if is_made_up(name) {
            let short = short_name(names.len());
            *name = names.entry(std::mem::take(name)).or_insert(short).clone();
        }
    }
    let js = renamed(&without_unused(js, &names), &names);
    let members: BTreeSet<&str> = js.lines().filter_map(member).collect();
    if let Some(import) = module.imports.iter().find(|import| !members.contains(import.name.as_str())) {
        bail!("the glue has no {}, which the program imports", import.name);
    }
    Ok((js, module.emit_wasm()))
}

/// True for the names that wasm-bindgen makes up.
fn is_made_up(name: &str) -> bool {
    name.starts_with("__wb") || name.starts_with("wasm_bindgen__")
}

/// `$0`, `$1`, …: nothing that wasm-bindgen writes begins so.
fn short_name(place: usize) -> String {
    format!("${place}")
}

/// The name of the import that this line begins to define.
fn member(line: &str) -> Option<&str> {
    let (name, rest) = line.trim_start().split_once(": ")?;
    rest.starts_with("function").then_some(name)
}

/// The lines without comments, indentation and what is not used. `names` has the imports that are left.
fn without_unused(js: &str, names: &BTreeMap<String, String>) -> String {
    let mut kept = String::new();
    // What the line must begin with that ends what is being left out.
    let mut until: Option<&str> = None;
    for line in js.lines() {
        let bare = line.trim();
        if let Some(end) = until {
            if line.starts_with(end) || end == "*/" && bare.ends_with(end) {
                until = None;
            }
            continue;
        }
        if bare.starts_with("/*") {
            until = (!bare.ends_with("*/")).then_some("*/");
        } else if line.starts_with(&format!("export class {UNUSED_CLASSES}")) {
            until = Some("}");
        } else if line.starts_with(&format!("const {UNUSED_CLASSES}")) && !line.ends_with(';') {
            until = Some("    : ");
        } else if member(line).is_some_and(|name| is_made_up(name) && !names.contains_key(name)) {
            until = Some("        }");
        } else if !bare.is_empty() && !bare.starts_with("//") && !line.contains(UNUSED_CLASSES) {
            kept.push_str(bare);
            kept.push('\n');
        }
    }
    kept
}

/// The text with each name, as a word of its own, in its short form.
fn renamed(js: &str, names: &BTreeMap<String, String>) -> String {
    let mut renamed = String::with_capacity(js.len());
    let mut rest = js;
    let in_word = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '$';
    while let Some(begin) = rest.find(in_word) {
        renamed.push_str(&rest[..begin]);
        let word = &rest[begin..];
        let word = &word[..word.find(|char| !in_word(char)).unwrap_or(word.len())];
        renamed.push_str(names.get(word).map_or(word, String::as_str));
        rest = &rest[begin + word.len()..];
    }
    renamed + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{renamed, without_unused};

    const GLUE: &str = "\
export class IntoUnderlyingSink {
    free() {
    }
}
if (Symbol.dispose) IntoUnderlyingSink.prototype[Symbol.dispose] = IntoUnderlyingSink.prototype.free;

/**
 * What it does.
 */
export function hydrate() {
    wasm.hydrate();
}
        __wbg_gone_00112233445566: function() { return handleError(function (arg0) {
            arg0.gone();
        }, arguments); },
        __wbg_kept_00112233445566: function(arg0) {
            // Why.
            arg0.kept('// no comment');
        },
const IntoUnderlyingSinkFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.free(ptr, 1));
const last = 1;
";

    #[test]
    fn what_is_used_is_kept_under_its_short_name() {
        let names = BTreeMap::from([("__wbg_kept_00112233445566".to_owned(), "$0".to_owned())]);
        let small = renamed(&without_unused(GLUE, &names), &names);
        let expected = "export function hydrate() {\nwasm.hydrate();\n}\n\
                        $0: function(arg0) {\narg0.kept('// no comment');\n},\nconst last = 1;\n";
        assert_eq!(small, expected);
    }

    #[test]
    fn only_whole_words_are_renamed() {
        let names = BTreeMap::from([("__wbg_a".to_owned(), "$0".to_owned())]);
        assert_eq!(renamed("__wbg_a(__wbg_ab, x__wbg_a, __wbg_a)é", &names), "$0(__wbg_ab, x__wbg_a, $0)é");
    }
}
