//! Where things are: the workspace, what is built from it, and cargo itself. Paths only, nothing is made here.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

/// The absolute paths that all steps share.
pub(crate) struct Workspace {
    /// The folder with the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, wherever the person's configuration or `CARGO_TARGET_DIR` puts it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo, because a configuration file may move the target directory.
    pub(crate) fn locate() -> Result<Self> {
        let output = cargo_program()
            .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
            .arg("--manifest-path")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).context("`cargo metadata` gave no readable answer")?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).with_context(|| format!("`cargo metadata` names no {key}"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")? })
    }

    /// What the server serves as files; `site-root` in `[package.metadata.leptos]`.
    pub(crate) fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The client's own target directory: sharing one with the server would rebuild both at every change of features.
    pub(crate) fn client_target(&self) -> PathBuf {
        self.target.join("client")
    }

    /// What the lab keeps: its guest, its console's data, and where it runs.
    pub(crate) fn lab(&self) -> PathBuf {
        self.target.join("lab")
    }

    /// The browser tests' folder.
    pub(crate) fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// The folder of the toolchain that compiles, with its own sources where they are installed.
    pub(crate) fn sysroot(&self) -> Result<PathBuf> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
        let output = Command::new(rustc).args(["--print", "sysroot"]).current_dir(&self.root).output();
        let output = output.context("cannot start rustc")?;
        Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()))
    }

    /// The folder in which cargo keeps the sources of dependencies, one below for each registry.
    pub(crate) fn registry(&self) -> Result<PathBuf> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("there is no home directory")?;
        Ok(home.join("registry/src"))
    }

    /// `cargo`, to be started in the workspace's root.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = cargo_program();
        cargo.current_dir(&self.root);
        cargo
    }

    /// `path` as a person reads it: relative to the workspace where it is inside.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// The cargo that started us, so that a `+toolchain` on the command line reaches every step.
fn cargo_program() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}
