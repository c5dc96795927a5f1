//! The command line: which program of breakglass is asked for, with which configuration. Everything else is the
//! library's.

use std::{ffi::OsString, io::Write, path::Path, process::ExitCode};

use anyhow::Context;
use breakglass::{
    render::renderer,
    server::{
        Server,
        agent::{TURN_FILE, shim},
        config::{Settings, Surroundings},
        export::Form,
        local_origin, terminal, verb_client,
    },
};
use clap::{Args, Parser, Subcommand};
use domain::verb::Verb;
use tokio_util::sync::CancellationToken;

/// A phone-first emergency console for a virtual machine that has stopped answering
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    program: Program,
}

/// What is no flag, because an argv can be read by everybody on the machine.
const SECRETS: &str = "Environment only:
  ANTHROPIC_API_KEY Key of the model's provider (also `anthropic_api_key` in the TOML file)
  API_BEARER_TOKEN  Token that scripts send as `Authorization: Bearer …` (also `api_bearer_token` in the TOML file)
  RUST_LOG          What is logged to standard error [default: breakglass=info,warn]";

/// A verb, and the console it is run through.
#[derive(Args)]
struct VerbCommand {
    /// status, forensics, start, stop, reset or cycle
    verb: Verb,
    #[command(flatten)]
    settings: Settings,
}

/// A session, and in which form.
#[derive(Args)]
struct ExportCommand {
    /// Its id
    session: String,
    /// As a report for people, or its log, one entry per line
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Program {
    /// Serves the console
    #[command(after_help = SECRETS)]
    Serve(Box<Settings>),
    /// Runs a verb through the console that serves, else directly
    #[command(after_help = SECRETS)]
    Verb(Box<VerbCommand>),
    /// Writes a session to standard output
    Export(Box<ExportCommand>),
    /// Keeps one agent's process (the console starts it)
    #[command(hide = true)]
    Keep,
    /// The agent's `ssh` (the agent starts it)
    #[command(hide = true, disable_help_flag = true)]
    AgentSsh {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Prints a link that signs one person in, once
    SignInLink(Box<Settings>),
}

fn main() -> ExitCode {
    let command = CommandLine::parse();
    // These two have no use for a log or a runtime; the keeper must not have started a thread.
    match command.program {
        Program::Keep => return claude_cli::keeper::run(),
        Program::AgentSsh { args } => return agent_ssh(args),
        _ => {}
    }
    let log = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("breakglass=info,warn"));
    tracing_subscriber::fmt().with_env_filter(log).with_writer(std::io::stderr).init();
    match run(command.program) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("breakglass: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(program: Program) -> anyhow::Result<ExitCode> {
    match program {
        Program::Serve(settings) => serve(*settings).await.map(|()| ExitCode::SUCCESS),
        Program::SignInLink(settings) => print_link(*settings).await.map(|()| ExitCode::SUCCESS),
        Program::Verb(command) => verb(command.verb, command.settings).await,
        Program::Export(command) => {
            let ExportCommand { session, format, settings } = *command;
            let session = session.parse().map_err(anyhow::Error::msg)?;
            let config = settings.resolve(Surroundings::read())?;
            terminal::export(config, &session, format, std::io::stdout().lock()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Program::Keep | Program::AgentSsh { .. } => Ok(ExitCode::FAILURE),
    }
}

/// The agent's `ssh`. Its turn's file is named by the environment that the console gave it.
#[expect(clippy::disallowed_methods, reason = "this is a program of its own, with one variable for a configuration")]
fn agent_ssh(args: Vec<OsString>) -> ExitCode {
    match std::env::var_os(TURN_FILE) {
        Some(turn) => shim::run(Path::new(&turn), args),
        None => {
            eprintln!("ssh: this is the ssh of a breakglass agent, and works in its turns only");
            ExitCode::FAILURE
        }
    }
}

/// Runs a verb through the console that serves with these settings; where none answers, as that console would.
async fn verb(verb: Verb, settings: Settings) -> anyhow::Result<ExitCode> {
    let config = settings.resolve(Surroundings::read())?;
    let console = local_origin(config.listen);
    let token = config.auth.bearer.clone();
    let through = console.clone();
    if tokio::task::spawn_blocking(move || verb_client::answers(&through)).await? {
        let token = token.context("a console serves here: set API_BEARER_TOKEN to its token to go through it")?;
        return Ok(tokio::task::spawn_blocking(move || verb_client::run(&console, token.expose(), verb)).await?);
    }
    let run = terminal::run_verb(config, verb).await?;
    Ok(verb_client::tell(verb, &run.into()))
}

/// Says something to the person at the terminal. One who has closed it does not end the console.
fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{words}").and_then(|()| out.flush());
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    // Its environment and its memory hold secrets, and the agent's commands run as the same user.
    nix::sys::prctl::set_dumpable(false).context("cannot hide the server's memory")?;
    let config = settings.resolve(Surroundings::read())?;
    let practice = config.practice;
    let target = config.target_name.clone();
    let server = Server::bind(config, renderer()).await?;
    if !server.has_assets() {
        tracing::warn!("the page's files are missing, so it works without script only: `cargo xtask build` makes them");
    }
    if practice {
        say(&format!("practice mode: {target} is the target, and the hypervisor is a practice one"));
    }
    say(&format!("listening on {}", server.origin()));
    if let Some(link) = server.sign_in_link().await {
        say(&format!("sign in within ten minutes, once: {link}"));
    }
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            asked_to_end().await;
            stop.cancel();
        }
    });
    server.run(stop).await.context("the server ended")
}

async fn print_link(settings: Settings) -> anyhow::Result<()> {
    say(&terminal::sign_in_link(settings.resolve(Surroundings::read())?).await?);
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
