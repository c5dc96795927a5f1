//! The page's files: where they are, and under which names, which carry a hash of what is in them.

use std::path::{Path, PathBuf};

use domain::page::AssetNames;

/// The files of one build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// The folder that is served.
    pub root: PathBuf,
    /// Paths as the page names them.
    names: AssetNames,
}

impl Assets {
    /// Reads the hashes that the build left in `hash.txt` (lines such as `js: 3f2b…`). Without it, plain names.
    pub fn find(root: &Path) -> Self {
        // `cargo leptos` leaves it beside the program.
        let beside = || std::fs::read_to_string(std::env::current_exe().ok()?.with_file_name("hash.txt")).ok();
        let hashes = std::fs::read_to_string(root.join("hash.txt")).ok().or_else(beside).unwrap_or_default();
        let name = |kind: &str| {
            let hash = hashes.lines().find_map(|line| {
                let (name, hash) = line.split_once(':')?;
                (name.trim() == kind).then(|| hash.trim())
            });
            let (file, ending) = if kind == "comfort" { ("comfort", "js") } else { ("breakglass", kind) };
            match hash {
                Some(hash) => format!("/pkg/{file}.{hash}.{ending}"),
                None => format!("/pkg/{file}.{ending}"),
            }
        };
        let names = AssetNames { css: name("css"), js: name("js"), wasm: name("wasm"), comfort: name("comfort") };
        Assets { root: root.to_owned(), names }
    }

    /// The names that a page needs.
    pub fn names(&self) -> AssetNames {
        self.names.clone()
    }

    /// True when the build that makes them was run.
    pub fn exist(&self) -> bool {
        self.root.join(self.names.js.trim_start_matches('/')).is_file()
    }
}
