//! The command line: which program of breakglass is asked for, with which configuration. Everything else is the
//! library's.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use breakglass::{
    render::renderer,
    server::{
        Server,
        config::{Settings, Surroundings},
        sign_in_link,
    },
};
use clap::{Parser, Subcommand};
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
  API_BEARER_TOKEN  Token that scripts send as `Authorization: Bearer …` (also `api_bearer_token` in the TOML file)
  RUST_LOG          What is logged to standard error [default: breakglass=info,warn]";

#[derive(Subcommand)]
enum Program {
    /// Serves the console
    #[command(after_help = SECRETS)]
    Serve(Box<Settings>),
    /// Prints a link that signs one person in, once
    SignInLink(Box<Settings>),
}

fn main() -> ExitCode {
    let command = CommandLine::parse();
    let log = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("breakglass=info,warn"));
    tracing_subscriber::fmt().with_env_filter(log).with_writer(std::io::stderr).init();
    match run(command.program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("breakglass: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(program: Program) -> anyhow::Result<()> {
    match program {
        Program::Serve(settings) => serve(*settings).await,
        Program::SignInLink(settings) => print_link(*settings).await,
    }
}

/// Says something to the person at the terminal. One who has closed it does not end the console.
fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{words}").and_then(|()| out.flush());
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
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
    say(&sign_in_link(settings.resolve(Surroundings::read())?).await?);
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
