//! What the kernel log tells: OOM kills, disk errors, hung tasks.

use super::*;

pub(super) const KILLS: &str = "== source ==
timeout 8 journalctl -q --no-pager -o short-iso -n 20000 _TRANSPORT=kernel
== now ==
2026-11-20T12:00:00+0100
780000.74 2213.50
== counter since boot ==
oom_kill 4
== kills ==
2026-11-17T08:00:00+0100 devvm kernel: Out of memory: Killed process 44 (chrome) total-vm:1kB, anon-rss:1kB
2026-11-20T11:05:00+0100 devvm kernel: Out of memory: Killed process 812 (postgres) total-vm:12kB, anon-rss:1kB, UID:115 pgtables:1kB oom_score_adj:0
2026-11-20T11:25:00+01:00 devvm kernel: Out of memory: Killed process 813 (postgres) total-vm:12kB
2026-11-20T10:45:00+0000 devvm kernel: Killed process 814 (postgres), UID 115, total-vm:12kB
2026-11-20T11:50:00+0100 devvm kernel: Out of memory: Killed process 815 (tmux: server (1)) total-vm:12kB
== oomd ==
";

#[test]
fn oom_kills_of_the_last_hour_are_counted_by_name() {
    says(
        &[ran(Reading::OomKills, KILLS)],
        &["devvm: OOM killer took postgres 3 times, tmux: server (1) once in the last hour (4 kills since boot)"],
    );
}

#[test]
fn old_kills_are_a_note_and_kills_without_a_time_say_so() {
    let old = KILLS.replace("2026-11-20T12:00:00+0100", "2026-11-29T12:00:00+0100");
    says(
        &[ran(Reading::OomKills, &old)],
        &[
            "nothing wrong found",
            "Note: OOM killer took postgres 3 times, tmux: server (1) once, chrome once, last 9 days ago",
        ],
    );
    let timeless = "== source ==\ndmesg\n== now ==\n== counter since boot ==\n== kills ==\nMemory cgroup out of memory: Killed process 7 (node) total-vm:1kB\n";
    says(
        &[ran(Reading::OomKills, timeless)],
        &["OOM killer took node once; when, the log does not say (at the memory limit of a container"],
    );
}

#[test]
fn the_ring_buffers_seconds_are_counted_from_the_uptime() {
    let dmesg = "== source ==\ndmesg\n== now ==\n2026-11-20T12:00:00+0100\n5000.5 1.0\n== kills ==\n[ 4400.500000] Out of memory: Killed process 7 (node) total-vm:1kB\n";
    says(&[ran(Reading::OomKills, dmesg)], &["Critical: OOM killer took node once in the last hour"]);
}

#[test]
fn the_kernels_counter_helps_where_its_log_may_not_be_read() {
    let log =
        |counter: &str| format!("== source ==\nfalse\n== now ==\n== counter since boot ==\n{counter}== kills ==\n");
    says(
        &[ran(Reading::OomKills, &log("oom_kill 3\n"))],
        &["OOM killer took 3 processes since boot", "may not be read"],
    );
    says(&[ran(Reading::OomKills, &log("oom_kill 0\n"))], &["nothing wrong found by these checks"]);
    says(&[ran(Reading::OomKills, &log(""))], &["nothing could be checked"]);
}

pub(super) const KERNEL: &str = "== source ==
dmesg
== now ==
2026-11-20T12:00:00+0100
5000.5 1.0
== storage ==
14
[ 4990.000000] blk_update_request: I/O error, dev vda, sector 8123 op 0x1:(WRITE)
[ 4991.000000] EXT4-fs (vda1): Remounting filesystem read-only
== hangs ==
2
[ 4800.000000] INFO: task jbd2/vda1-8:321 blocked for more than 120 seconds.
[ 4920.000000] INFO: task postgres:812 blocked for more than 120 seconds.
== memory ==
0
== limits ==
0
== crashes ==
3
[  100.000000] traps: foo[3] general protection fault
== last lines ==
[ 4991.000000] EXT4-fs (vda1): Remounting filesystem read-only
";

#[test]
fn disk_errors_and_hung_tasks_are_told_with_their_age() {
    says(
        &[ran(Reading::KernelLog, KERNEL)],
        &[
            "devvm: the kernel remounted a filesystem read-only, last 9 s ago: EXT4-fs (vda1): Remounting filesystem read-only (and 2 more findings)",
            "Critical: 14 disk or filesystem errors in the kernel log, last 9 s ago",
            "Critical: 2 hung tasks or stuck CPUs in the kernel log, last 80 s ago: INFO: task postgres:812 blocked for more than 120 seconds.",
            "Note: 3 crashes of a program",
        ],
    );
    let later = KERNEL.replace("5000.5", "500000.5");
    says(&[ran(Reading::KernelLog, &later)], &["nothing wrong found by these checks", "last 5 days ago"]);
}

#[test]
fn a_kernel_log_that_may_not_be_read_is_not_called_clean() {
    let closed = "== source ==\nfalse\n== now ==\n== storage ==\n0\n== hangs ==\n0\n";
    says(
        &[
            ran(Reading::KernelLog, closed),
            ran(Reading::Memory, "== meminfo ==\nMemTotal: 100 kB\nMemAvailable: 90 kB\n"),
        ],
        &[
            "nothing wrong found by 1 check that could be read",
            "Not checked:\n- KernelLog: the kernel log may not be read",
            "Checked:\n- Memory",
        ],
    );
}
