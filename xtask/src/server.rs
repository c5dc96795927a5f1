//! The server's program: built by plain cargo, and started in practice mode.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{child, workspace::Workspace};

/// Which of cargo's profiles the server is built with. The client has only one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// `target/debug`: quick to build; what `run` and `test` use.
    Debug,
    /// `target/release`: what is installed.
    Release,
}

impl Profile {
    /// The folder below the target directory in which cargo puts programs of this profile.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Builds the server and says where it is.
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "breakglass", "--bin", "breakglass"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    child::succeed(&mut cargo)?;
    Ok(program(workspace, profile))
}

/// Where cargo puts the server's program.
pub(crate) fn program(workspace: &Workspace, profile: Profile) -> PathBuf {
    workspace.target.join(profile.folder()).join("breakglass")
}

/// Becomes the server, in place: signals from the terminal and the exit code are then its own affair, and its output,
/// with the sign-in link, reaches the terminal untouched. Returns only when it cannot be started.
pub(crate) fn become_practice_server(workspace: &Workspace, program: &Path, args: &[&str]) -> Result<ExitCode> {
    let mut server = Command::new(program);
    server.args(["serve", "--practice"]).env("LEPTOS_SITE_ROOT", workspace.site());
    if !args.iter().any(|arg| *arg == "--data-dir" || arg.starts_with("--data-dir=")) {
        server.arg("--data-dir").arg(workspace.target.join("practice"));
    }
    let error = server.args(args).exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}
