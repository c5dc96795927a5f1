//! `cargo xtask test`: everything that must hold before a change is merged, what fails fastest first. Formatting and
//! lints end it at the first failure; the two test runners both run to their ends, so that one call shows all that is
//! broken, and their own closing lines are the last thing printed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use crate::{child, lab, server, server::Profile, setup, site, wasm, workspace::Workspace};

/// One part of the tests, by the name that `--only` takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Formatting.
    Fmt,
    /// The shell scripts.
    Shell,
    /// Lints: server and client apart, for both features together still compile and mean nothing.
    Clippy,
    /// The Rust tests.
    Nextest,
    /// The browser tests.
    Browser,
}

impl Step {
    /// The step that a person means.
    pub(crate) fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "fmt" => Self::Fmt,
            "shell" => Self::Shell,
            "clippy" => Self::Clippy,
            "nextest" => Self::Nextest,
            "browser" => Self::Browser,
            _ => bail!("there is no step `{name}`: it is one of fmt, shell, clippy, nextest, browser"),
        })
    }
}

/// How a test runner ended, in its own words.
struct Closing {
    passed: bool,
    lines: Vec<String>,
}

/// Runs every step, or `only` one; `more` goes to that one's runner.
pub(crate) fn run(workspace: &Workspace, only: Option<Step>, more: &[&str]) -> Result<ExitCode> {
    let wanted = |step| only.is_none_or(|only| only == step);
    if wanted(Step::Fmt) {
        child::succeed(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    }
    if wanted(Step::Shell) || wanted(Step::Nextest) || wanted(Step::Browser) {
        setup::test_programs()?;
    }
    if wanted(Step::Nextest) {
        setup::nextest(workspace)?;
        lab::image(workspace)?;
    }
    if wanted(Step::Nextest) || wanted(Step::Browser) {
        setup::node_modules(workspace)?;
    }
    if wanted(Step::Shell) {
        child::succeed(Command::new("shellcheck").args(shell_scripts(workspace)?))?;
    }
    if wanted(Step::Clippy) {
        clippy(workspace)?;
    }
    let mut closings = Vec::new();
    if wanted(Step::Nextest) || wanted(Step::Browser) {
        site::build(workspace)?;
        // The same call builds the server and the tests: a `cargo build` of the server alone would choose other
        // features of shared dependencies and compile them a second time.
        child::succeed(workspace.cargo().args(["build", "--workspace", "--bin=breakglass", "--tests"]))?;
    }
    if wanted(Step::Nextest) {
        closings.push(nextest(workspace, more)?);
    }
    if wanted(Step::Browser) {
        closings.push(browser(workspace, more)?);
    }
    report(&closings)
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let strict = ["--", "-D", "warnings"];
    child::succeed(workspace.cargo().args(["clippy", "--workspace", "--all-targets"]).args(strict))?;
    setup::wasm_target(wasm::TARGET)?;
    let mut client = workspace.cargo();
    client.arg("clippy").args(wasm::CLIENT).arg("--target-dir").arg(workspace.client_target()).args(strict);
    child::succeed(&mut client)
}

fn nextest(workspace: &Workspace, more: &[&str]) -> Result<Closing> {
    let mut cargo = workspace.cargo();
    cargo.args(["nextest", "run", "--workspace", "--no-fail-fast"]).args(more);
    let (passed, lines) = child::overhear(cargo.env("LEPTOS_SITE_ROOT", workspace.site()))?;
    Ok(Closing { passed, lines: from_the_last(&lines, |line| line.trim_start().starts_with("Summary [")) })
}

/// The specs start their own servers: `BREAKGLASS_UNDER_TEST` is the program, `LEPTOS_SITE_ROOT` its files.
fn browser(workspace: &Workspace, more: &[&str]) -> Result<Closing> {
    let mut playwright = Command::new(workspace.end2end().join("node_modules/.bin/playwright"));
    playwright
        .arg("test")
        .args(more)
        .current_dir(workspace.end2end())
        .env("BREAKGLASS_UNDER_TEST", server::program(workspace, Profile::Debug))
        .env("LEPTOS_SITE_ROOT", workspace.site());
    let (passed, lines) = child::overhear(&mut playwright)?;
    Ok(Closing { passed, lines: from_the_first_count(&lines) })
}

/// Every script that an interpreter line calls one for sh or bash, in the folders where we keep scripts.
fn shell_scripts(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    let mut folders = vec![workspace.root.join(".ci"), workspace.root.join("deploy")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_shell(&path)? {
                scripts.push(path);
            }
        }
    }
    scripts.sort();
    Ok(scripts)
}

fn is_shell(path: &Path) -> Result<bool> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    Ok(first.starts_with("#!") && (first.ends_with("/sh") || first.ends_with("bash")))
}

/// From the last line that opens a summary to the end.
fn from_the_last(lines: &[String], opens: impl Fn(&str) -> bool) -> Vec<String> {
    lines.iter().rposition(|line| opens(line)).map(|start| lines[start..].to_vec()).unwrap_or_default()
}

/// Playwright closes with counts (`  1 failed`, the failed tests' names, `  8 passed (4.2s)`): from the first to the end.
fn from_the_first_count(lines: &[String]) -> Vec<String> {
    const COUNTED: [&str; 6] = ["failed", "flaky", "interrupted", "skipped", "did not run", "passed"];
    let is_count = |line: &str| {
        let words = line.strip_prefix("  ").and_then(|line| line.split_once(' '));
        words.is_some_and(|(number, rest)| {
            number.parse::<u32>().is_ok() && COUNTED.iter().any(|word| rest.starts_with(word))
        })
    };
    lines.iter().position(|line| is_count(line)).map(|start| lines[start..].to_vec()).unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "the result of the program, not a message on its way there")]
fn report(closings: &[Closing]) -> Result<ExitCode> {
    for closing in closings {
        println!();
        match closing.lines.as_slice() {
            // Better no line than an invented one; what it said is further up.
            [] => println!("(a test runner ended without its closing lines)"),
            lines => lines.iter().filter(|line| !line.is_empty()).for_each(|line| println!("{line}")),
        }
    }
    // A runner that says nothing has not shown that it ran, whatever its exit code.
    let held = closings.iter().all(|closing| closing.passed && !closing.lines.is_empty());
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::from_the_first_count;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn playwrights_counts_are_found_with_the_names_of_what_failed() {
        let output = lines(
            "Running 3 tests using 2 workers\n\n  ✘  1 [phone] › a.spec.ts:3:1 › a (1.0s)\n  ✓  2 [phone] › b (9ms)\n\n  \
             1) [phone] › a.spec.ts\n\n    Error: 2 passed\n\n  1 failed\n    [phone] › a.spec.ts:3:1 › a\n  2 passed (1.9s)",
        );
        assert_eq!(
            from_the_first_count(&output),
            lines("  1 failed\n    [phone] › a.spec.ts:3:1 › a\n  2 passed (1.9s)")
        );
    }

    #[test]
    fn a_runner_that_dies_early_has_no_closing_lines() {
        assert!(from_the_first_count(&lines("Error: No tests found")).is_empty());
    }
}
