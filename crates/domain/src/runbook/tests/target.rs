//! Load, memory, swap and services.

use super::*;

pub(super) const LOAD: &str = " 12:00:01 up 9 days
== load ==
38.20 30.10 12.00 4/1480 95120
== cpus ==
4
== uptime ==
780000.74 2213.50
== clock ==
2026-11-20T06:21:00Z
== limits ==
/proc/sys/kernel/pid_max:4194304
/proc/sys/kernel/threads-max:1500
/proc/sys/fs/file-nr:9700\t0\t10000
== blocked in the kernel (state D) ==
321 jbd2/vda1-8
812 postgres
== still blocked 2 s later ==
321 jbd2/vda1-8
900 cron
== processes ==
412 processes, 60 zombies
";

#[test]
fn load_is_judged_by_the_number_of_cpus() {
    says(
        &[ran(Reading::Load, LOAD)],
        &[
            "load 38.2 on 4 CPUs (5 min: 30.1, 15 min: 12.0, rising)",
            "1480 of at most 1500 threads (99 %)",
            "9700 of at most 10000 open files (97 %)",
            "1 process blocked in the kernel for 2 s or more (state D: disk or network storage): jbd2/vda1-8 (pid 321)",
            "60 zombies",
        ],
    );
    says_nothing_of(&[ran(Reading::Load, &LOAD.replace("\n4\n", "\n64\n"))], &["load 38.2"]);
}

#[test]
fn a_clock_that_lost_its_time_and_a_recent_start_are_told() {
    let output = LOAD.replace("2026-11-20", "1970-01-01").replace("780000.74", "240.10");
    says(&[ran(Reading::Load, &output)], &["the clock says 1970-01-01", "the target started 4 min ago"]);
}

#[test]
fn available_memory_counts_and_free_memory_does_not() {
    let meminfo = |available: &str| {
        format!(
            "== meminfo ==\nMemTotal: 16384000 kB\nMemFree: 120000 kB\n{available}SwapTotal: 2097152 kB\nSwapFree: 0 kB\n"
        )
    };
    says(
        &[ran(Reading::Memory, &meminfo("MemAvailable: 400000 kB\n"))],
        &["Critical: memory nearly used up: 391 MB available of 16 GB (2 %), swap 100 % used of 2 GB"],
    );
    says(&[ran(Reading::Memory, &meminfo("MemAvailable: 9000000 kB\n"))], &["Warning: swap 100 % used"]);
    says(&[ran(Reading::Memory, &meminfo("Buffers: 10000 kB\nCached: 90000 kB\n"))], &["about 215 MB available"]);
    says(
        &[ran(Reading::Memory, "MemTotal: x")],
        &["nothing could be checked", "Memory: its output was not understood"],
    );
}

#[test]
fn a_kernel_without_pressure_is_no_error() {
    let absent = "== cpu ==\ncat: /proc/pressure/cpu: No such file or directory\n== memory ==\ncat: /proc/pressure/memory: No such file or directory\n== io ==\n";
    let observed =
        [seen(Reading::Pressure, StepOutcome::Exited { code: 1, output: absent.to_owned(), truncated: false })];
    says(&observed, &["Pressure: this kernel does not tell (no /proc/pressure)"]);
    let present = "== cpu ==\nsome avg10=1.00 avg60=2.00 avg300=0 total=1\n== memory ==\nsome avg10=60 avg60=50.00 avg300=1 total=1\nfull avg10=48.10 avg60=33.20 avg300=1 total=1\n== io ==\nsome avg10=0 avg60=0 avg300=0 total=0\nfull avg10=0.00 avg60=0.00 avg300=0 total=0\n";
    says(
        &[ran(Reading::Pressure, present)],
        &["Critical: all work waited for memory 33 % of the last minute (48 % of the last 10 s)"],
    );
}

#[test]
fn the_process_that_holds_most_memory_is_named() {
    let largest = "MemTotal: 16384000 kB\n== largest: kB, pid, user, name ==\n12000000 812 app java\n90000 1 root systemd\n== together: kB, processes, name ==\n12000000 1 java\n6000000 40 php-fpm8.1\n";
    says(
        &[ran(Reading::TopMemory, largest)],
        &["java (pid 812) holds 11 GB, 73 % of memory", "40 processes php-fpm8.1 hold 5.7 GB together, 37 % of memory"],
    );
}

#[test]
fn swap_traffic_matters_more_than_a_full_swap() {
    let swaps = |after: u64| {
        format!(
            "== areas ==\nFilename\tType\tSize\tUsed\tPriority\n/dev/vda3 partition 2097148 1048576 -2\n== pagesize ==\n4096\n== before ==\npswpin 1000\npswpout 1000\n== after 3 s ==\npswpin {after}\npswpout 1000\n== swapped out: kB, name ==\n900000 postgres\n"
        )
    };
    says(
        &[ran(Reading::Swaps, &swaps(31_000))],
        &[
            "Critical: swapping 39 MB a second in and 0 kB out",
            "swap 50 % used: 1 GB of 2 GB; most of it: postgres 879 MB",
        ],
    );
    says(&[ran(Reading::Swaps, &swaps(1_000))], &["nothing wrong found"]);
    says(
        &[ran(
            Reading::Swaps,
            "== areas ==\nFilename Type Size Used Priority\n== before ==\npswpin 0\npswpout 0\n== after 3 s ==\npswpin 0\npswpout 0\n",
        )],
        &["Note: no swap is set up"],
    );
}

#[test]
fn failed_units_are_listed() {
    let failed = "== state ==\ndegraded\n== failed ==\nnginx.service loaded failed failed A high performance web server\n● certbot.service loaded failed failed Certbot\nbackup.timer loaded failed failed Backup\n";
    says(
        &[ran(Reading::FailedUnits, failed)],
        &["devvm: 3 failed units: nginx.service, certbot.service, backup.timer", "the preset Services shows"],
    );
}

#[test]
fn another_init_is_no_error_and_a_silent_systemd_is() {
    says(
        &[ran(Reading::FailedUnits, "systemd is not running here\n")],
        &["Not checked:\n- FailedUnits: systemd is not running here"],
    );
    says(
        &[ran(Reading::FailedUnits, "== state ==\n== failed ==\n")],
        &["Critical: systemd does not answer within 8 s"],
    );
    says(&[ran(Reading::FailedUnits, "== state ==\nmaintenance\n== failed ==\n")], &["rescue or emergency mode"]);
}

#[test]
fn units_in_trouble_are_told_with_what_they_last_said() {
    let stuck = "== jobs ==\n 812 slow.service start running\n== changing ==\nworker.service loaded activating auto-restart Worker\nold.service loaded deactivating stop-sigterm Old\n";
    let journal = "== units ==\n2\n== nginx.service ==\nResult=exit-code\nNRestarts=5\nExecMainStatus=1\nActiveState=failed\nSubState=failed\n2026-11-20T11:59:59+0100 devvm nginx[812]: bind() to 0.0.0.0:80 failed (98: Address already in use)\n2026-11-20T12:00:00+0100 devvm systemd[1]: nginx.service: Failed with result 'exit-code'.\n";
    says(
        &[ran(Reading::StuckUnits, stuck), ran(Reading::UnitJournal, journal)],
        &[
            "restarted again and again: worker.service",
            "has not ended: old.service",
            "slow.service (start running)",
            "nginx.service: failed, result exit-code, exit status 1, 5 restarts; last said: nginx[812]: bind() to 0.0.0.0:80 failed",
            "of 2 units in trouble only 1 were looked at",
        ],
    );
}
