//! `cargo xtask bench`: what DESIGN.md promises in figures, measured in release. The benchmarks are a program of their own,
//! `benches/budgets.rs`, which prints the table; a figure that misses its budget is no failure, one that breaks is.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{child, setup, workspace::Workspace};

/// Builds and runs the benchmarks of these names, all of them where none is given.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<ExitCode> {
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
