//! The verbs on a real machine: what they leave of the QEMU process, of the guest, and of the evidence.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{console::Console, cycle::plain, lab::Lab};

/// A verb that is carried through; what the host printed.
async fn done(console: &Console, verb: &str) -> String {
    let (status, told) = console.post(&format!("/api/pve/{verb}"), json!({})).await;
    assert_eq!((status, &told["outcome"]), (200, &json!("done")), "{verb}: {told}");
    stdout(&told)
}

fn stdout(told: &Value) -> String {
    told["stdout"].as_str().unwrap().to_owned()
}

/// By which one boot of the guest is told from the next.
fn boot_id(lab: &Lab) -> String {
    lab.in_guest("cat /proc/sys/kernel/random/boot_id")
}

/// Width, height, and how many bytes the picture itself takes, of a PNG.
fn png(bytes: &[u8]) -> (u32, u32, usize) {
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") && bytes.ends_with(b"IEND\xaeB`\x82"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20), number(33).try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verb_does_to_a_real_machine_what_it_says() {
    let lab = Lab::booted();
    let console = Console::start(plain(lab.ssh_config())).await;

    // Evidence of a machine that is well, with a picture of its screen: a login prompt.
    let said = done(&console, "forensics").await;
    for part in ["VM status: running", "the guest agent answers", "screenshot: taken", "drive-virtio0"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let capture = said.lines().find_map(|line| line.strip_prefix("capture: ")).unwrap();
    let (width, height, bytes) = png(&fs::read(lab.path("captures").join(capture).join("screenshot.png")).unwrap());
    assert!(width >= 640 && height >= 350, "{width} x {height}");
    // Compressed, an empty screen of that size is a tenth of this.
    assert!(bytes > 1500, "{bytes} bytes are an empty screen");

    // A reset begins the guest anew and keeps the QEMU process.
    let (boot, pid) = (boot_id(&lab), lab.vm().1);
    done(&console, "reset").await;
    lab.wait_for_ssh();
    assert_eq!(lab.vm(), (true, pid));
    assert_ne!(boot_id(&lab), boot);

    // A stalled QEMU: the evidence comes within its limits and says what was silent; a reset cannot cure it, a cycle can.
    lab.fault("stalled-qemu");
    let begun = Instant::now();
    let said = done(&console, "forensics").await;
    assert!(begun.elapsed() < Duration::from_secs(16), "{:?}", begun.elapsed());
    assert!(said.contains("== QEMU monitor ==\n(no answer within "), "{said}");
    assert!(said.contains("== guest agent ==\n(no answer within "), "{said}");
    assert!(said.contains("status: running") && said.contains("cur memory: 512"), "{said}");
    let said = done(&console, "cycle").await;
    assert!(said.contains("SIGKILL"), "{said}");
    let cycled = lab.vm();
    assert!(cycled.0 && cycled.1 != pid, "{cycled:?} after {pid}");

    // One that not even qm can stop is killed by the script.
    fs::write(lab.path("stop-fails"), "").unwrap();
    lab.fault("stalled-qemu");
    let said = done(&console, "stop").await;
    assert!(said.contains(&format!("sending SIGKILL to the QEMU process {} of VM 102", cycled.1)), "{said}");
    fs::remove_file(lab.path("stop-fails")).unwrap();
    assert!(!lab.vm().0, "a stop really stops");

    // A start really starts, with what was staged.
    lab.stage("memory: 640");
    let said = done(&console, "start").await;
    assert!(said.contains("cur memory: 512\nnew memory: 640"), "{said}");
    lab.wait_for_ssh();
    assert!(lab.vm().0 && lab.vm().1 != cycled.1);
    let memory: u32 = lab.in_guest("awk '/^MemTotal/ { print $2 }' /proc/meminfo").parse().unwrap();
    assert!(memory > 540_000, "{memory} kB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_that_runs_is_not_started_twice_and_one_that_is_locked_is_not_moved() {
    let lab = Lab::start();
    let console = Console::start(plain(lab.ssh_config())).await;
    let before = lab.vm();
    assert!(done(&console, "start").await.contains("was running already, nothing was changed"));
    let conf = fs::read_to_string(lab.path("vm.conf")).unwrap();
    fs::write(lab.path("vm.conf"), format!("{conf}lock: backup\n")).unwrap();
    for verb in ["stop", "reset", "cycle"] {
        let (_, told) = console.post(&format!("/api/pve/{verb}"), json!({})).await;
        assert_eq!(told["exit_code"], 1, "{told}");
        assert!(stdout(&told).contains("VM is locked (backup)"), "{told}");
    }
    assert_eq!(lab.vm(), before);
}
