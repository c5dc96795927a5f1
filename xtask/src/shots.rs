//! `cargo xtask shots`: a picture of every screen and state of the page, on a phone and on a desktop, in the dark and by
//! daylight, and a page that shows them all. Pictures are to be looked at; nothing is compared with anything here.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{child, server, server::Profile, setup, site, workspace::Workspace};

/// Builds all, walks through every state and leaves the pictures in `folder`, or in target/shots.
pub(crate) fn run(workspace: &Workspace, folder: Option<&str>) -> Result<ExitCode> {
    setup::test_programs()?;
    setup::node_modules(workspace)?;
    site::build(workspace)?;
    let program = server::build(workspace, Profile::Debug)?;
    let folder = match folder {
        // In somebody's folder nothing is taken away; ours is as if it were new.
        Some(folder) => std::path::absolute(folder)?,
        None => fresh(workspace.target.join("shots"))?,
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut playwright = Command::new(workspace.end2end().join("node_modules/.bin/playwright"));
    playwright
        .args(["test", "--config", "shots.config.ts"])
        .current_dir(workspace.end2end())
        .env("BREAKGLASS_UNDER_TEST", program)
        .env("LEPTOS_SITE_ROOT", workspace.site())
        .env("SHOTS", &folder);
    let all = child::succeed(&mut playwright);
    eprintln!("xtask: the pictures are in {}", workspace.shown(&folder.join("index.html")));
    all.map(|()| ExitCode::SUCCESS)
}

fn fresh(folder: PathBuf) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    Ok(folder)
}
