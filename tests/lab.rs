//! The whole of it on a real machine: a Debian guest in a QEMU of its own, behind a real sshd with the real key line and
//! the real host script, and the console on both. What a practice hypervisor cannot show: that a guest comes back, that a
//! stalled QEMU is cured, that the presets' verdicts name what is really wrong.
//!
//! These tests need the lab's guest (`cargo xtask lab --build`, or `cargo xtask test`, which makes it first), and a core
//! each: `.config/nextest.toml` runs them alone.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod harness;

#[path = "lab/cuts.rs"]
mod cuts;
#[path = "lab/faults.rs"]
mod faults;
#[path = "lab/verbs.rs"]
mod verbs;
