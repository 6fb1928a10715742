//! The clients that people use, against the example server.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::have_tools;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

/// The example server as a process of its own.
struct Served {
    child: Child,
    socket: PathBuf,
}

impl Served {
    fn start(dir: &Path, disk: &[&str]) -> Self {
        let socket = dir.join("nbd.sock");
        let mut child = Command::new(example())
            .arg("--unix")
            .arg(&socket)
            .args(disk)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with("listening on "), "{line}");
        Self { child, socket }
    }

    fn uri(&self) -> String {
        format!("nbd+unix:///?socket={}", self.socket.display())
    }

    /// What QEMU's tools open, with further options of its driver.
    fn qemu_options(&self, more: &str) -> String {
        format!(
            "driver=nbd,server.type=unix,server.path={}{more}",
            self.socket.display()
        )
    }

    /// As power fails.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

/// The example server, as fresh as this test: Cargo does not build it when it is told which test to run.
fn example() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build_example).clone()
}

fn build_example() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let profile_dir = this.parent().unwrap().parent().unwrap();
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args([
        "build",
        "--quiet",
        "--package",
        "cairn-nbd",
        "--example",
        "nbd_serve",
    ]);
    build.arg("--target-dir").arg(profile_dir.parent().unwrap());
    if profile_dir.ends_with("release") {
        build.arg("--release");
    }
    run(build.current_dir(env!("CARGO_MANIFEST_DIR")));
    profile_dir.join("examples/nbd_serve")
}

/// An image, empty or with a text all over it that says where it is.
fn image(dir: &TempDir, name: &str, size: u64) -> PathBuf {
    let path = dir.path().join(name);
    fs::File::create(&path).unwrap().set_len(size).unwrap();
    path
}

fn written_image(dir: &TempDir, name: &str, size: u64) -> PathBuf {
    let path = dir.path().join(name);
    let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    for at in (0..size).step_by(16) {
        writeln!(file, "{at:015x}").unwrap();
    }
    file.into_inner().unwrap();
    path
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// Runs commands of `qemu-io`; it reports failures in its output as well as by its status.
fn qemu_io(options: &str, commands: &[&str]) -> String {
    let mut command = Command::new("qemu-io");
    command.args(["--image-opts", options]);
    commands.iter().for_each(|words| {
        command.args(["-c", words]);
    });
    let said = text(run(&mut command));
    assert!(!said.contains("failed") && !said.contains("rror"), "{said}");
    said
}

#[test]
fn nbdinfo_sees_what_the_server_can_do_and_what_is_allocated() {
    if !have_tools(
        "nbdinfo_sees_what_the_server_can_do_and_what_is_allocated",
        &["nbdinfo"],
    ) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = image(&dir, "disk", 8 * MIB);
    fs::OpenOptions::new()
        .write(true)
        .open(&disk)
        .unwrap()
        .write_all(&[7; 65536])
        .unwrap();
    let served = Served::start(dir.path(), &["--file", disk.to_str().unwrap()]);
    let said = text(run(Command::new("nbdinfo").arg(served.uri())));
    for expected in [
        "newstyle-fixed",
        "structured packets",
        "export-size: 8388608",
        "base:allocation",
        "is_read_only: false",
        "can_df: true",
        "can_fast_zero: true",
        "can_flush: true",
        "can_fua: true",
        "can_multi_conn: true",
        "can_trim: true",
        "can_zero: true",
        "block_size_minimum: 1\n",
        "block_size_preferred: 4096\n",
        "block_size_maximum: 33554432\n",
    ] {
        assert!(said.contains(expected), "{expected} is missing:\n{said}");
    }
    let map = text(run(Command::new("nbdinfo").arg("--map").arg(served.uri())));
    let map: Vec<Vec<&str>> = map
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        map,
        [
            ["0", "65536", "0", "data"],
            ["65536", "8323072", "3", "hole,zero"]
        ]
    );
    let list = text(run(Command::new("nbdinfo").arg("--list").arg(served.uri())));
    assert!(list.contains("export=\"\""), "{list}");
    served.stop();
}

#[test]
fn nbdcopy_brings_every_byte_there_and_back() {
    if !have_tools("nbdcopy_brings_every_byte_there_and_back", &["nbdcopy"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = written_image(&dir, "source", 40 * MIB);
    for disk in ["--file", "--memory"] {
        let target = image(&dir, "disk", 40 * MIB);
        let value = if disk == "--file" {
            target.to_str().unwrap().to_owned()
        } else {
            (40 * MIB).to_string()
        };
        let served = Served::start(dir.path(), &[disk, &value]);
        run(Command::new("nbdcopy")
            .arg("--flush")
            .arg(&source)
            .arg(served.uri()));
        let back = dir.path().join("back");
        run(Command::new("nbdcopy").arg(served.uri()).arg(&back));
        assert!(fs::read(&source).unwrap() == fs::read(&back).unwrap());
        if disk == "--file" {
            assert!(fs::read(&source).unwrap() == fs::read(&target).unwrap());
        }
        // One request at a time, on one connection, from a client without structured replies.
        fs::remove_file(&back).unwrap();
        run(Command::new("nbdcopy")
            .args(["--synchronous"])
            .arg(served.uri())
            .arg(&back));
        assert!(fs::read(&source).unwrap() == fs::read(&back).unwrap());
        fs::remove_file(&back).unwrap();
        served.stop();
    }
}

#[test]
fn qemu_img_converts_compares_and_maps() {
    if !have_tools("qemu_img_converts_compares_and_maps", &["qemu-img"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = written_image(&dir, "source", 4 * MIB);
    // A hole, then data to the end.
    let file = fs::OpenOptions::new().write(true).open(&source).unwrap();
    file.set_len(MIB).unwrap();
    file.set_len(16 * MIB).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[5; 65536], 12 * MIB).unwrap();
    let disk = image(&dir, "disk", 16 * MIB);
    let served = Served::start(dir.path(), &["--file", disk.to_str().unwrap()]);
    run(Command::new("qemu-img")
        .args(["convert", "-n", "-f", "raw", "-O", "raw"])
        .arg(&source)
        .arg(served.uri()));
    run(Command::new("qemu-img")
        .args(["compare", "-f", "raw", "-F", "raw"])
        .arg(&source)
        .arg(served.uri()));
    let map = text(run(Command::new("qemu-img")
        .args(["map", "--output=json", "-f", "raw"])
        .arg(served.uri())));
    let zeros = map
        .lines()
        .filter(|line| line.contains("\"zero\": true"))
        .count();
    assert_eq!((map.lines().count(), zeros), (4, 2), "{map}");
    let qcow2 = dir.path().join("back.qcow2");
    run(Command::new("qemu-img")
        .args(["convert", "-f", "raw", "-O", "qcow2"])
        .arg(served.uri())
        .arg(&qcow2));
    run(Command::new("qemu-img")
        .arg("compare")
        .arg(&source)
        .arg(&qcow2));
    assert!(
        fs::metadata(&disk).unwrap().blocks() * 512 < 2 * MIB,
        "holes stay holes"
    );
    served.stop();
    assert!(fs::read(&source).unwrap() == fs::read(&disk).unwrap());
}

#[test]
fn qemu_io_writes_discards_and_zeroes() {
    if !have_tools("qemu_io_writes_discards_and_zeroes", &["qemu-io"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = image(&dir, "disk", 16 * MIB);
    let served = Served::start(dir.path(), &["--file", disk.to_str().unwrap()]);
    let options = served.qemu_options(",discard=unmap");
    qemu_io(
        &options,
        &[
            "write -P 1 0 1M",
            "write -f -P 2 1M 64k",
            "write -P 3 3333333 12345",
            "flush",
            "read -P 1 0 1M",
            "read -P 2 1M 64k",
            "read -P 3 3333333 12345",
            "write -P 4 8M 4M",
            "write -z -u 8M 1M",
            "write -z 9M 1M",
            "discard 10M 1M",
            "write -z -f 11M 4k",
        ],
    );
    // Another connection sees it, and so does the file.
    qemu_io(
        &options,
        &[
            "read -P 1 0 1M",
            "read -P 0 8M 3M",
            "read -P 0 11M 4k",
            "read -P 4 11538432 1020k",
            "read -P 0 12M 4M",
        ],
    );
    served.stop();
    let bytes = fs::read(&disk).unwrap();
    assert!(bytes[..1 << 20].iter().all(|&byte| byte == 1));
    assert!(
        bytes[3_333_333..3_333_333 + 12_345]
            .iter()
            .all(|&byte| byte == 3)
    );
    assert_eq!((bytes[3_333_332], bytes[3_333_333 + 12_345]), (0, 0));
    assert!(bytes[8 << 20..11 << 20].iter().all(|&byte| byte == 0));
    // 1 MiB + 64 KiB + the scrap + 2 MiB of zeros that may stay and of data; two holes of 1 MiB do not.
    assert!(
        fs::metadata(&disk).unwrap().blocks() * 512 < 4 * MIB,
        "unmapped space is given back"
    );
}

#[test]
fn fio_verifies_what_it_wrote() {
    if !have_tools("fio_verifies_what_it_wrote", &["fio"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = image(&dir, "disk", 64 * MIB);
    let served = Served::start(dir.path(), &["--file", disk.to_str().unwrap()]);
    for (pattern, sizes, depth) in [
        ("randwrite", "512-128k", "32"),
        ("randrw", "4k-4k", "16"),
        ("write", "1m-2m", "4"),
    ] {
        let said = text(run(Command::new("fio").current_dir(dir.path()).args([
            "--name=verify",
            "--ioengine=nbd",
            &format!("--uri={}", served.uri()),
            &format!("--rw={pattern}"),
            &format!("--bsrange={sizes}"),
            &format!("--iodepth={depth}"),
            "--size=48m",
            "--verify=crc32c",
            "--verify_fatal=1",
            "--fsync=64",
            "--randseed=2026",
        ])));
        assert!(said.contains("err= 0"), "{said}");
    }
    served.stop();
}

#[test]
fn two_connections_see_each_others_writes() {
    if !have_tools(
        "two_connections_see_each_others_writes",
        &["qemu-io", "stdbuf"],
    ) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path(), &["--memory", "16777216"]);
    let (mut one, mut two) = (Talk::start(&served, ""), Talk::start(&served, ""));
    for round in 2..15 {
        one.ask(&format!("write -P {round} {round}M 256k"));
        two.ask(&format!("read -P {round} {round}M 256k"));
        two.ask(&format!(
            "write -f -P {} {}k 64k",
            round + 100,
            512 + 64 * round
        ));
        one.ask(&format!(
            "read -P {} {}k 64k",
            round + 100,
            512 + 64 * round
        ));
        two.ask("flush");
    }
    one.end();
    two.end();
    served.stop();
}

/// A `qemu-io` that takes commands one by one.
struct Talk {
    child: Child,
    said: std::process::ChildStdout,
}

impl Talk {
    fn start(served: &Served, more: &str) -> Self {
        // To a pipe it would keep its answers until it ends.
        let mut child = Command::new("stdbuf")
            .args(["-o0", "qemu-io", "--image-opts", &served.qemu_options(more)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = child.stdout.take().unwrap();
        let mut talk = Self { child, said };
        talk.answer();
        talk
    }

    fn send(&mut self, command: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
    }

    /// What it says until it is ready for the next command.
    fn answer(&mut self) -> String {
        let mut said = Vec::new();
        while !said.ends_with(b"qemu-io> ") {
            let mut byte = [0];
            self.said.read_exact(&mut byte).unwrap();
            said.extend(byte);
        }
        let said = String::from_utf8(said).unwrap();
        assert!(!said.contains("failed") && !said.contains("rror"), "{said}");
        said
    }

    fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.answer()
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn a_client_that_reconnects_sees_a_killed_server_only_as_a_delay() {
    if !have_tools(
        "a_client_that_reconnects_sees_a_killed_server_only_as_a_delay",
        &["qemu-io", "stdbuf"],
    ) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = image(&dir, "disk", 64 * MIB);
    let start = || Served::start(dir.path(), &["--file", disk.to_str().unwrap()]);
    let mut served = start();
    let mut client = Talk::start(&served, ",reconnect-delay=60");
    for round in 1..=6u8 {
        client.ask(&format!("write -P {round} {round}M 1M"));
        // Requests are under way, sent but not waited for, when the server is killed.
        client.ask(&format!("aio_write -q -P {} {}M 8M", round + 50, 8 * round));
        served.kill();
        assert!(
            dir.path().join("nbd.sock").exists(),
            "a killed server leaves its socket"
        );
        client.send(&format!("read -P {round} {round}M 1M"));
        served = start();
        client.answer();
        client.ask("aio_flush");
        client.ask("flush");
        client.ask(&format!("read -P {} {}M 8M", round + 50, 8 * round));
        // Make room for the next round, which reads what it has written below 8 MiB.
        client.ask(&format!("write -P {} {}M 1M", round + 1, round + 1));
    }
    client.end();
    served.stop();
}
