//! The arrows of DESIGN.md: imports point one way. This reads the sources as text, so that a wrong import fails here with
//! its line, before anybody gets used to it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

/// The lines of a folder's code, comments left out, that name what they must not know.
fn offences(folder: &str, forbidden: &[&str]) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            if let Some(name) = forbidden.iter().find(|name| code.contains(**name)) {
                offences.push(format!("{}:{}: {name}", path.display(), number + 1));
            }
        }
    }
    offences
}

#[test]
fn the_page_knows_neither_the_server_nor_the_browser() {
    assert_eq!(offences("src/ui", &["crate::server", "server::", "crate::browser", "web_sys", "gloo_net"]), [""; 0]);
}

#[test]
fn the_browser_knows_neither_the_server_nor_the_endpoints() {
    assert_eq!(offences("src/browser", &["crate::server", "crate::api"]), [""; 0]);
}

#[test]
fn the_parts_know_the_domain_and_nothing_else_of_ours() {
    let forbidden =
        ["crate::server", "crate::browser", "crate::ui", "crate::api", "crate::state", "crate::render", "web_sys"];
    assert_eq!(offences("src/parts", &forbidden), [""; 0]);
}

#[test]
fn the_page_and_its_browsers_part_hold_nothing_of_the_parts_that_the_server_renders() {
    for folder in ["src/ui", "src/browser"] {
        assert_eq!(offences(folder, &["crate::parts", "TargetStatus", "RunChunk", "call::Run"]), [""; 0]);
    }
}

#[test]
fn the_server_knows_no_component_and_no_endpoint() {
    assert_eq!(
        offences("src/server", &["crate::ui", "ui::", "crate::api", "crate::render", "crate::state", "crate::parts"]),
        [""; 0]
    );
}

#[test]
fn the_domain_has_no_io_no_clock_and_no_async() {
    let forbidden =
        ["std::fs", "std::net", "std::process", "std::env", "std::time", "std::thread", "tokio", "async fn"];
    assert_eq!(offences("crates/domain/src", &forbidden), [""; 0]);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/domain/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<_> = dependencies.lines().filter_map(|line| Some(line.split_once('=')?.0.trim())).collect();
    assert_eq!(names, ["serde", "serde_json"]);
}

#[test]
fn the_driver_of_the_cli_knows_nothing_of_sessions_http_or_domain() {
    let forbidden = ["domain::", "breakglass::", "axum", "leptos", "rusqlite"];
    assert_eq!(offences("crates/claude-cli/src", &forbidden), [""; 0]);
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/claude-cli/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<_> = dependencies.lines().filter_map(|line| Some(line.split_once('=')?.0.trim())).collect();
    assert_eq!(names, ["serde", "serde_json", "nix", "thiserror", "tokio"], "a second program links no more than this");
}

#[test]
fn what_takes_secrets_out_of_a_text_knows_no_program_of_ours() {
    let forbidden = ["domain::", "breakglass::", "claude_cli", "axum", "leptos", "tokio"];
    assert_eq!(offences("crates/redact/src", &forbidden), [""; 0]);
}

#[test]
fn unsafe_code_stands_in_one_place() {
    let all: Vec<_> =
        ["src", "crates", "xtask/src"].iter().flat_map(|folder| offences(folder, &["unsafe {"])).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].contains("crates/claude-cli/src/keeper.rs"), "{all:?}");
}

#[test]
fn only_power_knows_how_to_reach_the_hypervisor() {
    let knowing: Vec<_> = sources("src")
        .into_iter()
        .filter(|(path, text)| {
            !path.to_string_lossy().contains("/server/power/")
                && (text.contains("PveSsh(") && !path.ends_with("server/config/mod.rs")
                    || text.contains("SSH_ORIGINAL_COMMAND"))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_eq!(knowing, [""; 0], "the configuration makes the way, power goes it");
}

#[test]
fn the_features_are_told_apart_in_one_place() {
    let elsewhere: Vec<_> = offences("src", &["cfg(feature", "cfg(not(feature"])
        .into_iter()
        .filter(|offence| !offence.contains("src/lib.rs:"))
        .collect();
    assert_eq!(elsewhere, [""; 0]);
}
