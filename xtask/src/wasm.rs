//! The client: the library compiled to wasm, and the JavaScript that loads it.
//!
//! There is one profile, `wasm-release`: what the browser tests hydrate is byte for byte what is shipped.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{child, setup, shrink, site, workspace::Workspace};

/// What the client is compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What makes a cargo call compile the client: the library alone, without the server's features.
pub(crate) const CLIENT: [&str; 7] =
    ["--package", "breakglass", "--lib", "--no-default-features", "--features=hydrate", "--target", TARGET];

/// What wasm-bindgen calls its two files.
const JS: &str = "breakglass.js";
const WASM: &str = "breakglass_bg.wasm";

/// The client's files.
pub(crate) struct Client {
    /// The module that the page imports. It is told where the wasm is and works under any name.
    pub(crate) js: Vec<u8>,
    /// The program.
    pub(crate) wasm: Vec<u8>,
    /// JavaScript of dependencies, which `js` imports by these paths relative to itself.
    pub(crate) snippets: BTreeMap<String, Vec<u8>>,
}

/// Compiles the client and makes its glue.
pub(crate) fn build(workspace: &Workspace) -> Result<Client> {
    setup::wasm_target(TARGET)?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--profile=wasm-release"]).args(CLIENT).arg("--target-dir").arg(workspace.client_target());
    child::succeed(cargo.env("CARGO_ENCODED_RUSTFLAGS", same_anywhere(workspace)?))?;
    let compiled = workspace.client_target().join(TARGET).join("wasm-release/breakglass.wasm");
    let compiled = fs::read(&compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    glue(&compiled, &workspace.client_target().join("glue"))
}

/// The compiler's flags by which the client says nothing of the machine that compiled it: panics name their files, and
/// what is served to strangers should be of the same bytes, and of the same size, wherever the checkout lies. Separated
/// as cargo wants them, so that a path may have spaces in it.
fn same_anywhere(workspace: &Workspace) -> Result<String> {
    let named =
        [(workspace.root.clone(), "workspace"), (workspace.registry()?, "crate"), (workspace.sysroot()?, "rust")];
    let flags = named.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    Ok(flags.join("\u{1f}"))
}

/// Runs wasm-bindgen into `folder`, or reads what is there when it came from the same wasm by the same xtask: a build
/// that has nothing to do should take no time.
fn glue(compiled: &[u8], folder: &Path) -> Result<Client> {
    let made_by = fs::metadata(std::env::current_exe()?)?.modified()?;
    let stamp = format!("{} {made_by:?}", site::hash(compiled));
    let stamp_file = folder.join("stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return read(folder);
    }
    eprintln!("xtask: making the client's glue");
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Bindgen::new()
        .input_bytes("breakglass", compiled.to_vec())
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The page names the wasm; a built-in name would be one that no longer exists once files are named by hash.
        .omit_default_module_path(true)
        .generate(folder)
        .context("wasm-bindgen cannot make the client's glue")?;
    let (js, wasm) = (folder.join(JS), folder.join(WASM));
    let small = shrink::shrink(&fs::read_to_string(&js)?, &fs::read(&wasm)?);
    let (small_js, small_wasm) = small.context("cannot make the client's files smaller")?;
    fs::write(js, small_js)?;
    fs::write(wasm, small_wasm)?;
    fs::write(stamp_file, stamp)?;
    read(folder)
}

fn read(folder: &Path) -> Result<Client> {
    let file = |name: &str| fs::read(folder.join(name)).with_context(|| format!("wasm-bindgen wrote no {name}"));
    let snippets = folder.join("snippets");
    let snippets = if snippets.exists() { site::files_below(&snippets)? } else { BTreeMap::new() };
    Ok(Client {
        js: file(JS)?,
        wasm: file(WASM)?,
        snippets: snippets.into_iter().map(|(path, bytes)| (format!("snippets/{path}"), bytes)).collect(),
    })
}
