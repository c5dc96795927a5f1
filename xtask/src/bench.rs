//! `cargo xtask bench`: what DESIGN.md promises in figures, measured in release. The benchmarks are a program of their own,
//! `benches/budgets.rs`, which prints the table; those of the page in a browser are in end2end/bench. A figure that misses
//! its budget is no failure, one that breaks is.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{child, server, server::Profile, setup, site, workspace::Workspace};

/// The figures of the page itself, for which a browser is needed: end2end/bench has them.
const PAGE: &str = "page";

/// Builds and runs the benchmarks of these names, all of them where none is given.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<ExitCode> {
    // A name may also be written as a flag: `--page`.
    let names: Vec<&str> = names.iter().map(|name| name.trim_start_matches("--")).collect();
    if names.is_empty() || names.contains(&PAGE) {
        page(workspace)?;
    }
    if names == [PAGE] {
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<&str> = names.into_iter().filter(|name| *name != PAGE).collect();
    if names.is_empty() || names.contains(&"agent") {
        setup::node_modules(workspace)?;
    }
    let cargo = workspace.cargo();
    // A thousand clients are a thousand files, and many systems begin with a limit of 1024 that anybody may raise.
    let mut bench = Command::new("sh");
    bench.args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"]).arg(cargo.get_program());
    bench.args(["bench", "--package", "breakglass", "--bench", "budgets", "--"]).args(names);
    child::succeed(bench.current_dir(&workspace.root))?;
    Ok(ExitCode::SUCCESS)
}

fn page(workspace: &Workspace) -> Result<()> {
    setup::test_programs()?;
    setup::node_modules(workspace)?;
    site::build(workspace)?;
    let program = server::build(workspace, Profile::Release)?;
    let mut playwright = Command::new(workspace.end2end().join("node_modules/.bin/playwright"));
    playwright
        .args(["test", "--config", "bench.config.ts"])
        .current_dir(workspace.end2end())
        .env("BREAKGLASS_UNDER_TEST", program)
        .env("LEPTOS_SITE_ROOT", workspace.site());
    child::succeed(&mut playwright)
}
