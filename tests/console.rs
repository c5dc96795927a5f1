//! The console: the real router behind its real listener, with a real record and, where it matters, a real sshd.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "tests spawn the program and its peers themselves, and reap them")]

mod harness;

#[path = "console/attach.rs"]
mod attach;
#[path = "console/auth.rs"]
mod auth;
#[path = "console/bad_input.rs"]
mod bad_input;
#[path = "console/guard.rs"]
mod guard;
#[path = "console/keeping.rs"]
mod keeping;
#[path = "console/list.rs"]
mod list;
#[path = "console/look.rs"]
mod look;
#[path = "console/once.rs"]
mod once;
#[path = "console/parts.rs"]
mod parts;
#[path = "console/permission.rs"]
mod permission;
#[path = "console/power.rs"]
mod power;
#[path = "console/presets.rs"]
mod presets;
#[path = "console/probe.rs"]
mod probe;
#[path = "console/record.rs"]
mod record;
#[path = "console/recover.rs"]
mod recover;
#[path = "console/sessions.rs"]
mod sessions;
#[path = "console/target.rs"]
mod target;
