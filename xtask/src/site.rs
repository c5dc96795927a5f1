//! `target/site`, all that is served as files: `public/` as it is, and under `pkg/` the client and the style, named by
//! their content, so that a browser may keep them for ever and never mixes a new page with an old program.
//!
//! `hash.txt` tells the server the names, in the format of cargo-leptos' `hash-files = true`: `js: HASH`, `wasm: HASH`,
//! `css: HASH`, for `pkg/breakglass.HASH.js` and so on; `comfort: HASH` is `pkg/comfort.HASH.js`. It stands in the site and,
//! where Leptos looks unless told otherwise, beside the server's program. The service worker, and the page that it shows
//! where there is no console, are told the names here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{comfort, compress, server::Profile, style, wasm, workspace::Workspace};

/// A site in memory: the bytes of each file, by its path from the site's root, with `/` between folders.
type Files = BTreeMap<String, Vec<u8>>;

/// Builds the client and brings `target/site` up to date; what an earlier build left behind is removed.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let client = wasm::build(workspace)?;
    let style = style::bundle(&workspace.root.join("style/main.css"))?.into_bytes();
    let comfort = comfort::bundle(&workspace.root.join("src/browser/comfort/main.js"))?.into_bytes();
    let mut files = files_below(&workspace.root.join("public"))?;
    let mut names = String::new();
    let mut paths = Vec::new();
    for (kind, bytes) in [("css", style), ("js", client.js), ("wasm", client.wasm), ("comfort", comfort)] {
        let hash = hash(&bytes);
        writeln!(names, "{kind}: {hash}")?;
        let path =
            if kind == "comfort" { format!("pkg/comfort.{hash}.js") } else { format!("pkg/breakglass.{hash}.{kind}") };
        paths.push(format!("/{path}"));
        add(&mut files, path, bytes)?;
    }
    name_in(&mut files, "worker.js", "'BUILD'", &format!("'{}'", paths.join("', '")))?;
    name_in(&mut files, "offline.html", "/STYLE", &paths[0])?;
    for (path, bytes) in client.snippets {
        add(&mut files, format!("pkg/{path}"), bytes)?;
    }
    write_site(&workspace.site(), &workspace.client_target().join("compressed.txt"), &files)?;
    // The names come last: a server that is running meanwhile finds every file that it is told of.
    write_if_changed(&workspace.site().join("hash.txt"), names.as_bytes())?;
    for profile in [Profile::Debug, Profile::Release] {
        write_if_changed(&workspace.target.join(profile.folder()).join("hash.txt"), names.as_bytes())?;
    }
    remove_strangers(&workspace.site(), &files)
}

/// The first 16 hexadecimal digits of the SHA-256: far more than enough to tell builds apart.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Every file below `folder`, links followed.
pub(crate) fn files_below(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            bail!("{} has a name that no URL can have", path.display());
        };
        if path.is_dir() {
            files.extend(files_below(&path)?.into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_owned(), bytes);
        }
    }
    Ok(files)
}

fn add(files: &mut Files, path: String, bytes: Vec<u8>) -> Result<()> {
    if files.contains_key(&path) {
        bail!("public/{path} is in the way of a file that is built");
    }
    files.insert(path, bytes);
    Ok(())
}

/// Puts the names of this build where a file has a mark for them.
fn name_in(files: &mut Files, file: &str, mark: &str, names: &str) -> Result<()> {
    let bytes = files.get_mut(file).with_context(|| format!("public/{file} is missing"))?;
    let text = std::str::from_utf8(bytes).with_context(|| format!("public/{file} is no text"))?;
    if text.matches(mark).count() != 1 {
        bail!("public/{file} must have {mark} once, where the names of the build go");
    }
    *bytes = text.replace(mark, names).into_bytes();
    Ok(())
}

/// Writes the files and their compressed siblings. `record` remembers which content the siblings were made from:
/// compressing takes seconds, and most builds change little.
fn write_site(site: &Path, record: &Path, files: &Files) -> Result<()> {
    let done = fs::read_to_string(record).unwrap_or_default();
    let done: BTreeSet<&str> = done.lines().collect();
    let mut now_done = String::new();
    for (path, bytes) in files {
        write_if_changed(&site.join(path), bytes)?;
        if !compress::applies_to(path) {
            continue;
        }
        let line = format!("{} {path}", hash(bytes));
        let present = compress::ENDINGS.iter().all(|ending| site.join(format!("{path}.{ending}")).exists());
        if !(present && done.contains(line.as_str())) {
            for (ending, compressed) in compress::siblings(bytes)? {
                write_if_changed(&site.join(format!("{path}.{ending}")), &compressed)?;
            }
        }
        writeln!(now_done, "{line}")?;
    }
    write_if_changed(record, now_done.as_bytes())
}

/// Puts `bytes` at `path` at once: a server that is running sees the old file or the new one, never a part.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().context("a file has no folder")?;
    let shown = path.display();
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder of {shown}"))?;
    let unfinished = folder.join(".unfinished");
    fs::write(&unfinished, bytes).with_context(|| format!("cannot write {}", unfinished.display()))?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {shown}"))
}

/// Removes from the site what is neither one of `files`, nor a sibling of one, nor `hash.txt`.
fn remove_strangers(site: &Path, files: &Files) -> Result<()> {
    let belongs = |path: &str| {
        let original = compress::ENDINGS.iter().find_map(|ending| path.strip_suffix(&format!(".{ending}")));
        path == "hash.txt"
            || files.contains_key(path)
            || original.is_some_and(|original| compress::applies_to(original) && files.contains_key(original))
    };
    for path in files_below(site)?.keys().filter(|path| !belongs(path)) {
        fs::remove_file(site.join(path)).with_context(|| format!("cannot remove the old {path}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Files, files_below, name_in, remove_strangers, write_site};
    use std::fs;

    fn files(contents: &[(&str, &str)]) -> Files {
        contents.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn names(files: &Files) -> Vec<&str> {
        files.keys().map(String::as_str).collect()
    }

    #[test]
    fn what_an_earlier_build_left_is_removed_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (site, record) = (folder.path().join("site"), folder.path().join("record"));
        let old = files(&[("pkg/app.1.js", "old"), ("icon.png", "icon"), ("gone/x.svg", "<svg/>")]);
        let new = files(&[("pkg/app.2.js", "new"), ("icon.png", "icon")]);
        for files in [&old, &new] {
            write_site(&site, &record, files).unwrap();
            remove_strangers(&site, files).unwrap();
        }
        let left = files_below(&site).unwrap();
        assert_eq!(names(&left), ["icon.png", "pkg/app.2.js", "pkg/app.2.js.br", "pkg/app.2.js.gz"]);
    }

    #[test]
    fn the_names_of_a_build_are_put_where_their_mark_is_and_a_lost_mark_is_refused() {
        let mut made = files(&[("worker.js", "const BUILD = ['BUILD'];")]);
        name_in(&mut made, "worker.js", "'BUILD'", "'/pkg/a.1.js', '/pkg/b.2.css'").unwrap();
        assert_eq!(made["worker.js"], b"const BUILD = ['/pkg/a.1.js', '/pkg/b.2.css'];");
        let error = format!("{:#}", name_in(&mut made, "worker.js", "'BUILD'", "''").unwrap_err());
        assert!(error.contains("public/worker.js must have 'BUILD' once"), "{error}");
    }

    #[test]
    fn siblings_are_made_again_when_the_content_changes_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let (site, record) = (folder.path().join("site"), folder.path().join("record"));
        let sibling = site.join("robots.txt.br");
        write_site(&site, &record, &files(&[("robots.txt", "one")])).unwrap();
        fs::write(&sibling, "kept as it is").unwrap();
        write_site(&site, &record, &files(&[("robots.txt", "one")])).unwrap();
        assert_eq!(fs::read(&sibling).unwrap(), b"kept as it is");
        write_site(&site, &record, &files(&[("robots.txt", "two")])).unwrap();
        assert_ne!(fs::read(&sibling).unwrap(), b"kept as it is");
    }
}
