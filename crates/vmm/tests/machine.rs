//! Real machines: QEMU, a real Linux disk over NBD, and what a guest sees.
//!
//! The guest is emulated and takes seconds; nothing here waits for a guess.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    missing_docs
)]

mod lab;

use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use cairn_vmm::{
    Architecture, BootMode, EndOfRun, Exit, MachineError, MachineEvent, ShutdownCause, Status,
    end_of_run, reattach,
};
use lab::{DiskServer, INSTANCE_ID, Lab, Leash, disk, eventually, in_time, next_event};

const TOOLS: &[&str] = &[
    "qemu-system-x86_64",
    "qemu-nbd",
    "qemu-img",
    "ssh",
    "ssh-keygen",
    "grub-mkimage",
    "sfdisk",
    "mcopy",
];

const SECOND_VOLUME: &str = "vol-0fedcba9876543210";

fn spare_disk(lab: &Lab, mebibytes: u64) -> DiskServer {
    let image = lab.dir.path().join("spare.raw");
    std::fs::File::create(&image)
        .unwrap()
        .set_len(mebibytes << 20)
        .unwrap();
    DiskServer::start(&image, "raw", &lab.spec.runtime_dir.join("spare.sock"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_boots_meets_its_metadata_and_is_steered() {
    if !lab::tools_present("a_guest_boots_meets_its_metadata_and_is_steered", TOOLS) {
        return;
    }
    let mut lab = Lab::new();
    let _root = lab.with_guest_disk();
    let _metadata = lab.serve_metadata();
    let _leash = Leash(lab.spec.dir.clone());

    let started = Instant::now();
    let machine = lab::start(&lab).await;
    assert_eq!(machine.status().await.unwrap(), Status::Running);
    let again = cairn_vmm::start(&lab.spec, &lab.config).await.unwrap_err();
    assert!(
        matches!(again, MachineError::AlreadyRunning { .. }),
        "{again}"
    );
    // The id reaches the guest by IMDSv2 only: tokens are required.
    lab.wait_console(&format!("CAIRN-GUEST-READY {INSTANCE_ID}"), 1)
        .await;
    report_boot("legacy-bios", started, machine.pid());
    lab.wait_console("CAIRN-USER-DATA-DONE 3", 1).await;

    sees_its_identity(&lab).await;
    asks_for_metadata_many_times(&lab).await;
    cannot_reach_the_host(&lab).await;
    gains_and_loses_a_disk(&lab, &machine).await;

    // A reset boots again, and the user data does not run again.
    let mut events = machine.events();
    lab.hang_up().await;
    machine.reset().await.unwrap();
    assert_eq!(
        next_event(&mut events).await,
        MachineEvent::Reset { by_guest: false }
    );
    lab.wait_console("CAIRN-GUEST-READY", 2).await;
    assert_eq!(lab.guest("cat /root/user-data-runs").await, "ran\n");

    machine.system_powerdown().await.unwrap();
    // A BIOS that finds itself warm resets once more, by itself.
    let by_guest = MachineEvent::Reset { by_guest: true };
    let mut event = next_event(&mut events).await;
    while event == by_guest {
        event = next_event(&mut events).await;
    }
    assert_eq!(event, MachineEvent::Powerdown);
    let off = MachineEvent::Shutdown(ShutdownCause::Guest);
    assert_eq!(next_event(&mut events).await, off);
    let exit = in_time("the power-off", machine.wait_exit()).await.unwrap();
    assert_eq!(exit, Exit::Shutdown(ShutdownCause::Guest));
    assert_eq!(in_time("the last event", events.next()).await, None);
    assert_eq!(end_of_run(&lab.spec.dir), EndOfRun::Orderly);
    assert!(
        reattach(&lab.spec.dir, &lab.config)
            .await
            .unwrap()
            .is_none()
    );
}

/// Emulation is bound by the processor, so its time tells more than the clock of a busy host.
fn report_boot(firmware: &str, started: Instant, pid: u32) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    let (seconds, processor) = (started.elapsed().as_secs_f64(), ticks as f64 / 100.0);
    println!("BOOT {firmware} ready in {seconds:.1} s, {processor:.1} s of processor time");
}

async fn sees_its_identity(lab: &Lab) {
    let vendor = lab
        .guest("cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/board_asset_tag")
        .await;
    assert_eq!(vendor, format!("Amazon EC2\n{INSTANCE_ID}\n"));
    assert!(
        lab.guest("cat /sys/class/dmi/id/product_uuid")
            .await
            .starts_with("ec2")
    );
    assert!(
        lab.guest("ip -4 addr show dev eth0")
            .await
            .contains("inet 172.31.0.15/5 ")
    );
    assert_eq!(lab.guest("hostname").await, "ip-172-31-0-15\n");
    assert_eq!(serials(lab).await, ["vol0123456789abcdef0"]);
}

async fn asks_for_metadata_many_times(lab: &Lab) {
    let loop_ =
        "for i in $(seq 60); do /etc/guest/metadata meta-data/ami-id; echo; done | sort | uniq -c";
    assert_eq!(lab.guest(loop_).await.trim(), "60 ami-0123456789abcdef0");
    let refused = "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/";
    assert_eq!(lab.guest(refused).await, "401");
    // One connection, several requests.
    let kept = "t=$(cat /run/metadata-token); u=http://169.254.169.254/latest/meta-data; \
                curl -s -w ' %{num_connects}\n' -H \"X-aws-ec2-metadata-token: $t\" $u/mac $u/instance-type";
    assert_eq!(lab.guest(kept).await, "02:00:17:2a:00:0f 1\nt3.small 0\n");
}

/// A service on the host's loopback is what an open network would give away first.
async fn cannot_reach_the_host(lab: &Lab) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let attempt = format!(
        "busybox ip route add default via 172.31.0.1; \
         for a in 172.31.0.1 192.0.2.1; do \
         curl -s -m 3 -o /dev/null http://$a:{port}/ && echo reached $a; done; true"
    );
    assert_eq!(lab.guest(&attempt).await, "");
    listener.set_nonblocking(true).unwrap();
    let accepted = listener.accept().map(|(_, peer)| peer);
    assert_eq!(accepted.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

async fn serials(lab: &Lab) -> Vec<String> {
    let listing = lab.guest("cat /sys/class/nvme/*/serial").await;
    let mut serials: Vec<String> = listing.lines().map(|line| line.trim().to_owned()).collect();
    serials.sort();
    serials
}

async fn gains_and_loses_a_disk(lab: &Lab, machine: &cairn_vmm::Machine) {
    let server = spare_disk(lab, 16);
    let spare = disk(SECOND_VOLUME, &server.socket, false);
    let unknown = machine.detach_disk(SECOND_VOLUME).await.unwrap_err();
    assert!(
        matches!(unknown, MachineError::DiskNotAttached { .. }),
        "{unknown}"
    );

    machine.attach_disk(&spare).await.unwrap();
    let twice = machine.attach_disk(&spare).await.unwrap_err();
    assert!(
        matches!(twice, MachineError::DiskAlreadyAttached { .. }),
        "{twice}"
    );
    let both = ["vol0123456789abcdef0", "vol0fedcba9876543210"];
    eventually("the second disk", async || {
        (serials(lab).await == both).then_some(())
    })
    .await;
    let write = "d=$(grep -l vol0fedcba9876543210 /sys/class/nvme/*/serial | cut -d/ -f5); \
                 echo written-by-the-guest | dd of=/dev/${d}n1 bs=512 conv=sync,fsync 2>/dev/null";
    eventually("a write", async || {
        lab.ssh(write)
            .status()
            .await
            .unwrap()
            .success()
            .then_some(())
    })
    .await;

    in_time("the detachment", machine.detach_disk(SECOND_VOLUME))
        .await
        .unwrap();
    assert_eq!(
        machine.attached_volumes().await.unwrap(),
        [lab::ROOT_VOLUME]
    );
    assert_eq!(serials(lab).await, ["vol0123456789abcdef0"]);
    let bytes = std::fs::read(lab.dir.path().join("spare.raw")).unwrap();
    assert!(bytes.starts_with(b"written-by-the-guest\n"));

    // Its place is free again.
    machine.attach_disk(&spare).await.unwrap();
    eventually("the disk again", async || {
        (serials(lab).await == both).then_some(())
    })
    .await;
    in_time("the detachment", machine.detach_disk(SECOND_VOLUME))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_outlives_its_server_and_waits_for_its_disks() {
    if !lab::tools_present(
        "a_machine_outlives_its_server_and_waits_for_its_disks",
        TOOLS,
    ) {
        return;
    }
    let mut lab = Lab::new();
    let root = lab.with_guest_disk();
    let metadata = lab.serve_metadata();
    let _leash = Leash(lab.spec.dir.clone());
    let machine = lab::start(&lab).await;
    lab.wait_console(&format!("CAIRN-GUEST-READY {INSTANCE_ID}"), 1)
        .await;
    let pid = machine.pid();
    assert!(has_a_session_of_its_own(pid));

    // The server forgets everything, and what it served is gone.
    drop(machine);
    drop(metadata);
    root.kill();
    // The guest writes meanwhile, and asks for metadata: both wait.
    let write = "dd if=/dev/urandom of=/root/file bs=64k count=16 conv=fsync 2>/dev/null && \
                 sync && md5sum </root/file && /etc/guest/metadata meta-data/instance-id";
    let mut waiting = lab.ssh(write);
    let waiting = waiting
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    requests_hang(&lab).await;

    root.run();
    let _metadata = lab.serve_metadata();
    let machine = reattach(&lab.spec.dir, &lab.config)
        .await
        .unwrap()
        .expect("it runs on");
    assert_eq!(machine.pid(), pid);
    assert_eq!(machine.status().await.unwrap(), Status::Running);
    let output = in_time("the write", waiting.wait_with_output())
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .ends_with(INSTANCE_ID)
    );
    // No read or write failed on the way.
    assert_eq!(
        lab.guest("dmesg | grep -ciE 'i/o error|remount.*read-only|aborting journal' || true")
            .await
            .trim(),
        "0"
    );

    machine.kill().unwrap();
    assert_eq!(
        in_time("the end", machine.wait_exit()).await.unwrap(),
        Exit::Abrupt
    );
    assert_eq!(end_of_run(&lab.spec.dir), EndOfRun::Abrupt);
    assert!(
        reattach(&lab.spec.dir, &lab.config)
            .await
            .unwrap()
            .is_none()
    );
}

/// What ends the server's terminal or process group does not end the machine. Read from `/proc`:
/// where the tests run in a PID namespace, their own session may have no number in it (0).
fn has_a_session_of_its_own(pid: u32) -> bool {
    session(&pid.to_string()) != session("self")
}

/// The session of a process: the sixth field of its `stat`, see proc_pid_stat(5).
fn session(process: &str) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, after_the_name) = stat.rsplit_once(')').unwrap();
    after_the_name
        .split_whitespace()
        .nth(3)
        .unwrap()
        .parse()
        .unwrap()
}

/// Proves that the guest does wait: a link process, which QEMU starts for a
/// connection to the metadata service, is there and has nobody to talk to.
async fn requests_hang(lab: &Lab) {
    let socket = lab.spec.metadata_socket.display().to_string();
    let link = lab.config.metadata_link[0].clone();
    // The write comes first and needs the disk, so a new connection asks at once.
    let mut asks = lab.ssh("nc -w 60 169.254.169.254 80 </dev/null");
    let mut asks = asks.spawn().unwrap();
    eventually("a link that waits", async || {
        let lines =
            lab::run(std::process::Command::new("sh").args(["-c", "cat /proc/[0-9]*/cmdline"]));
        let wanted = format!("{link}\0{socket}\0");
        String::from_utf8_lossy(&lines.stdout)
            .contains(&wanted)
            .then_some(())
    })
    .await;
    asks.start_kill().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_cut_short_is_completed() {
    if !lab::tools_present("a_start_that_was_cut_short_is_completed", &TOOLS[..5]) {
        return;
    }
    let lab = Lab::new();
    let _leash = Leash(lab.spec.dir.clone());
    let machine = lab::start(&lab).await;
    let pid = machine.pid();
    drop(machine);
    // The server died before it could write down which process it was.
    std::fs::remove_file(lab.spec.dir.join("process.json")).unwrap();
    let machine = reattach(&lab.spec.dir, &lab.config)
        .await
        .unwrap()
        .expect("it runs");
    assert_eq!(machine.pid(), pid);
    machine.quit().await.unwrap();
    let exit = in_time("the end", machine.wait_exit()).await.unwrap();
    assert_eq!(exit, Exit::Shutdown(ShutdownCause::Host));
    assert_eq!(end_of_run(&lab.spec.dir), EndOfRun::Orderly);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_boots_by_uefi() {
    if !lab::tools_present("a_guest_boots_by_uefi", TOOLS) {
        return;
    }
    let mut lab = Lab::new();
    lab.spec.boot_mode = BootMode::Uefi;
    if !Path::new("/usr/share/OVMF/OVMF_CODE_4M.fd").exists() {
        let error = cairn_vmm::start(&lab.spec, &lab.config).await.unwrap_err();
        assert!(error.to_string().contains("ovmf"), "{error}");
        return lab::skip("a_guest_boots_by_uefi", "ovmf not installed");
    }
    let _root = lab.with_guest_disk();
    let _metadata = lab.serve_metadata();
    let _leash = Leash(lab.spec.dir.clone());
    let started = Instant::now();
    let machine = lab::start(&lab).await;
    lab.wait_console(&format!("CAIRN-GUEST-READY {INSTANCE_ID}"), 1)
        .await;
    report_boot("uefi", started, machine.pid());
    assert_eq!(
        lab.guest("test -d /sys/firmware/efi && echo uefi").await,
        "uefi\n"
    );
    machine.kill().unwrap();
    in_time("the end", machine.wait_exit()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_32_bit_machine_takes_disks_without_ports() {
    let tools = ["qemu-system-i386", "qemu-nbd", "ssh-keygen"];
    if !lab::tools_present("a_32_bit_machine_takes_disks_without_ports", &tools) {
        return;
    }
    let mut lab = Lab::new();
    lab.spec.architecture = Architecture::I386;
    let _leash = Leash(lab.spec.dir.clone());
    let server = spare_disk(&lab, 1);
    lab.spec.disks = vec![disk(SECOND_VOLUME, &server.socket, true)];
    let machine = lab::start(&lab).await;
    let other = disk("vol-00000001", &server.socket, false);
    machine.attach_disk(&other).await.unwrap();
    let mut volumes = machine.attached_volumes().await.unwrap();
    volumes.sort();
    assert_eq!(volumes, ["vol-00000001", SECOND_VOLUME]);
    machine.quit().await.unwrap();
    in_time("the end", machine.wait_exit()).await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_named() {
    if !lab::tools_present("what_is_missing_is_named", &["ssh-keygen"]) {
        return;
    }
    let mut lab = Lab::new();
    lab.config.qemu_dir = Some(lab.dir.path().to_owned());
    let error = cairn_vmm::start(&lab.spec, &lab.config).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("install the package qemu-system-x86"),
        "{error}"
    );

    let missing = |architecture, boot_mode| {
        let error = cairn_vmm::check_host(architecture, boot_mode, &lab.config).unwrap_err();
        error.to_string()
    };
    let arm = missing(Architecture::Arm64, BootMode::Uefi);
    assert!(arm.contains("install the package qemu-system-arm"), "{arm}");
    let old = missing(Architecture::I386, BootMode::LegacyBios);
    assert!(old.contains("install the package qemu-system-x86"), "{old}");

    lab.spec.architecture = Architecture::Arm64;
    let error = cairn_vmm::start(&lab.spec, &lab.config).await.unwrap_err();
    assert!(
        matches!(error, MachineError::UnsupportedBoot { .. }),
        "{error}"
    );
    assert!(!lab.spec.dir.exists(), "nothing was begun");
}

#[tokio::test]
async fn a_disk_without_a_server_is_an_error_that_says_so() {
    if !lab::tools_present(
        "a_disk_without_a_server_is_an_error_that_says_so",
        &TOOLS[..5],
    ) {
        return;
    }
    let mut lab = Lab::new();
    lab.config.disk_open = std::time::Duration::ZERO;
    lab.spec.disks = vec![disk(
        SECOND_VOLUME,
        &lab.spec.runtime_dir.join("none.sock"),
        true,
    )];
    let error = cairn_vmm::start(&lab.spec, &lab.config).await.unwrap_err();
    assert!(
        matches!(&error, MachineError::Start { message } if message.contains("none.sock")),
        "{error}"
    );
    assert!(
        reattach(&lab.spec.dir, &lab.config)
            .await
            .unwrap()
            .is_none()
    );
}
