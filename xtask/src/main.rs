//! `cargo xtask run|lab|test|build|bench|shots`: from a fresh clone to a running or tested breakglass. This file is the command line;
//! each step has its own file. It must not know what breakglass does: it sees packages, files and exit codes only.
#![allow(
    clippy::disallowed_methods,
    reason = "a build program of its own: it starts plain children one after the other and has no configuration file"
)]

mod bench;
mod child;
mod comfort;
mod compress;
mod lab;
mod server;
mod setup;
mod shots;
mod shrink;
mod site;
mod style;
mod test;
mod wasm;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{server::Profile, test::Step, workspace::Workspace};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [--release] [ARGS…]   build all, then start `breakglass serve --practice` with ARGS; Ctrl-C ends it
  lab [--fault NAME]… [ARGS…]
                            build all, then start a real Debian VM, a hypervisor for it, and `breakglass serve` with
                            ARGS on both; Ctrl-C ends all of it. Where one runs already, --fault NAME breaks its VM,
                            and --cure NAME mends it
  lab --list                the faults, and what cures them
  lab --build               the lab's guest only
  build [--debug]           the site in target/site and the server, target/release/breakglass
  build client              the site only
  test [--only STEP] [-- RUNNER ARGS…]
                            everything, or one of: fmt, shell, clippy, nextest, browser
  bench [NAME…]             figures beside their baselines and budgets: all, or some of replay, fanout, idle, open,
                            append, line, agent, page
  shots [FOLDER]            a screenshot of every state of the page, and index.html to look at them all
                            [default folder: target/shots]

What is missing is installed first: the wasm target by rustup; for tests also Debian packages and npm's; for the lab
Debian packages and, by debootstrap as root, a guest of 300 MB in target/lab.
Environment: LAB_MIRROR is where that Debian comes from; CHROMIUM names the browser for the tests, BREAKGLASS_CLAUDE_BIN their Claude Code CLI; CARGO_TARGET_DIR is
honoured.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = args.split_first() else { bail!("no command given\n\n{USAGE}") };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (command.as_str(), rest.as_slice()) {
        ("run", ["--release", more @ ..]) => run(Profile::Release, more),
        ("run", more) => run(Profile::Debug, more),
        ("build", [] | ["--release"]) => build(Profile::Release),
        ("build", ["--debug"]) => build(Profile::Debug),
        ("build", ["client"]) => {
            site::build(&Workspace::locate()?)?;
            Ok(ExitCode::SUCCESS)
        }
        ("lab", more) => lab::run(&Workspace::locate()?, more),
        ("test", []) => test::run(&Workspace::locate()?, None, &[]),
        ("test", ["--only", step]) => test::run(&Workspace::locate()?, Some(Step::named(step)?), &[]),
        ("test", ["--only", step, "--", more @ ..]) => test::run(&Workspace::locate()?, Some(Step::named(step)?), more),
        ("shots", []) => shots::run(&Workspace::locate()?, None),
        ("shots", [folder]) => shots::run(&Workspace::locate()?, Some(folder)),
        ("bench", names) => bench::run(&Workspace::locate()?, names),
        ("help" | "--help" | "-h", _) => {
            eprintln!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("cannot read `{}`\n\n{USAGE}", args.join(" ")),
    }
}

fn build(profile: Profile) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    site::build(&workspace)?;
    let program = server::build(&workspace, profile)?;
    eprintln!("xtask: built {} and {}", workspace.shown(&program), workspace.shown(&workspace.site()));
    Ok(ExitCode::SUCCESS)
}

fn run(profile: Profile, args: &[&str]) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    site::build(&workspace)?;
    let program = server::build(&workspace, profile)?;
    server::become_practice_server(&workspace, &program, args)
}
