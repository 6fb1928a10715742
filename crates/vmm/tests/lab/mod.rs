//! What the tests with real machines share: disks, keys, servers, and waiting.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use cairn_vmm::metadata::{
    Clock, HttpTokens, InstanceMetadata, MetadataOptions, MetadataService, MetadataSource,
    NetworkInterface, PublicKey, SourceFuture, TokenKey,
};
use cairn_vmm::{
    Accelerator, Architecture, BootMode, Config, DiskSpec, Machine, MachineSpec, NetworkSpec,
};

pub(crate) const INSTANCE_ID: &str = "i-0123456789abcdef0";
pub(crate) const ROOT_VOLUME: &str = "vol-0123456789abcdef0";
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 15);
pub(crate) const NAME: &str = "ip-172-31-0-15.ec2.internal";

/// Emulated, on a busy machine: far more than it should ever take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Says whether a test can run here. A missing tool skips it by name, unless
/// `CAIRN_REQUIRE_TOOLS` is set: then it fails.
pub(crate) fn tools_present(test: &str, tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |tool: &str| std::env::split_paths(&path).any(|dir| dir.join(tool).is_file());
    let missing: Vec<&&str> = tools.iter().filter(|tool| !found(tool)).collect();
    if missing.is_empty() {
        return true;
    }
    skip(test, &format!("{missing:?} not found"));
    false
}

pub(crate) fn skip(test: &str, reason: &str) {
    assert!(
        std::env::var_os("CAIRN_REQUIRE_TOOLS").is_none(),
        "{test}: {reason}"
    );
    println!("SKIPPED {test}: {reason}");
}

/// The disk that scripts/guest-disk.sh makes, made once, and again when it changes.
pub(crate) fn guest_disk() -> PathBuf {
    static DISK: OnceLock<PathBuf> = OnceLock::new();
    DISK.get_or_init(|| {
        if let Some(disk) = std::env::var_os("CAIRN_GUEST_DISK") {
            return disk.into();
        }
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
        let disk = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest.raw");
        if !is_newer(
            &disk,
            &scripts.join("guest-disk.sh"),
            &scripts.join("guest-disk"),
        ) {
            // Every test is a process of its own, and several may find that there is no disk.
            let mine = disk.with_extension(std::process::id().to_string());
            let built = run(Command::new(scripts.join("guest-disk.sh")).arg(&mine));
            assert!(
                built.status.success(),
                "{}",
                String::from_utf8_lossy(&built.stderr)
            );
            std::fs::rename(mine, &disk).unwrap();
        }
        disk
    })
    .clone()
}

fn is_newer(disk: &Path, script: &Path, overlay: &Path) -> bool {
    let find = run(Command::new("find")
        .args([script, overlay])
        .arg("-newer")
        .arg(disk));
    find.status.success() && find.stdout.is_empty()
}

/// A directory with everything that one machine needs around it.
pub(crate) struct Lab {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) config: Config,
    pub(crate) spec: MachineSpec,
    pub(crate) source: Arc<Source>,
    pub(crate) token_key: TokenKey,
    pub(crate) now: Arc<Mutex<Duration>>,
}

/// Tells of one instance, and counts how often it was asked.
pub(crate) struct Source {
    pub(crate) metadata: Mutex<InstanceMetadata>,
    pub(crate) asked: Mutex<usize>,
}

impl MetadataSource for Source {
    fn metadata<'a>(&'a self, instance_id: &'a str) -> SourceFuture<'a> {
        *self.asked.lock().unwrap() += 1;
        let metadata = self.metadata.lock().unwrap().clone();
        Box::pin(async move { (metadata.instance_id == instance_id).then_some(metadata) })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A connection that is kept would keep a process.
        let control = self.spec.runtime_dir.join("ssh");
        if control.exists() {
            let path = format!("ControlPath={}", control.display());
            drop(
                Command::new("ssh")
                    .args(["-q", "-O", "exit", "-o", &path, "root@127.0.0.1"])
                    .output(),
            );
        }
    }
}

impl Lab {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime_dir = cairn_vmm::runtime_dir(dir.path()).unwrap();
        let mut config = Config::new(vec![metadata_link().display().to_string()]);
        config.start_timeout = PATIENCE;
        config.command_timeout = PATIENCE;
        config.detach_timeout = PATIENCE;
        let spec = MachineSpec {
            id: INSTANCE_ID.to_owned(),
            instance_type: "t3.small".to_owned(),
            dir: dir.path().join(INSTANCE_ID),
            runtime_dir: runtime_dir.clone(),
            architecture: Architecture::X86_64,
            boot_mode: BootMode::LegacyBios,
            vcpus: 1,
            memory_mib: 256,
            accelerator: Accelerator::Tcg,
            disks: Vec::new(),
            network: NetworkSpec {
                private_ip: ADDRESS,
                mac: "02:00:17:2a:00:0f".to_owned(),
                gateway: Ipv4Addr::new(172, 31, 0, 1),
                dns: Ipv4Addr::new(172, 31, 0, 2),
                hostname: NAME.to_owned(),
                ssh_port: Some(free_port()),
            },
            metadata_socket: runtime_dir.join("metadata.sock"),
        };
        let key = ssh_key(dir.path());
        let source = Source {
            metadata: Mutex::new(metadata(key)),
            asked: Mutex::new(0),
        };
        Self {
            dir,
            config,
            spec,
            source: Arc::new(source),
            token_key: TokenKey::new(&[7; 32]),
            now: Arc::new(Mutex::new(Duration::from_secs(1_800_000_000))),
        }
    }

    /// Adds the guest disk, as a copy on write, as the boot disk; returns its server.
    pub(crate) fn with_guest_disk(&mut self) -> DiskServer {
        let overlay = self.dir.path().join("root.qcow2");
        let base = guest_disk();
        succeed(
            Command::new("qemu-img")
                .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
                .args([&base, &overlay]),
        );
        let server = DiskServer::start(&overlay, "qcow2", &self.spec.runtime_dir.join("root.sock"));
        self.spec.disks = vec![disk(ROOT_VOLUME, &server.socket, true)];
        server
    }

    pub(crate) fn serve_metadata(&self) -> MetadataService {
        let now = Arc::clone(&self.now);
        let clock: Clock = Arc::new(move || *now.lock().unwrap());
        let source = Arc::clone(&self.source);
        let socket = &self.spec.metadata_socket;
        let service =
            MetadataService::bind(socket, INSTANCE_ID, source, self.token_key.clone(), clock);
        service.unwrap()
    }

    /// Waits until the console holds `text` for the `times`-th time.
    pub(crate) async fn wait_console(&self, text: &str, times: usize) {
        let started = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        while self.console().matches(text).count() < times {
            ticks.tick().await;
            let console = self.console();
            assert!(
                started.elapsed() < PATIENCE,
                "no {text:?} ({times}) in:\n{console}"
            );
        }
    }

    pub(crate) fn console(&self) -> String {
        let tail = cairn_vmm::console_tail(&self.spec.dir, 1 << 20).unwrap();
        String::from_utf8_lossy(&tail).into_owned()
    }

    /// Runs a command in the guest, and returns what it printed.
    pub(crate) async fn guest(&self, command: &str) -> String {
        eventually(command, async || {
            let output = self.ssh(command).output().await.unwrap();
            // 255 is ssh's own failure: not listening yet.
            if output.status.code() == Some(255) {
                return None;
            }
            let words = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}: {words}");
            Some(String::from_utf8(output.stdout).unwrap())
        })
        .await
    }

    /// Forgets the connection to a guest that has been reset.
    pub(crate) async fn hang_up(&self) {
        let mut ssh = self.ssh_command();
        ssh.args(["-O", "exit", "root@127.0.0.1"]);
        drop(ssh.output().await.unwrap());
    }

    pub(crate) fn ssh(&self, command: &str) -> tokio::process::Command {
        let mut ssh = self.ssh_command();
        ssh.args(["root@127.0.0.1", command]);
        ssh
    }

    fn ssh_command(&self) -> tokio::process::Command {
        let mut ssh = tokio::process::Command::new("ssh");
        ssh.arg("-i").arg(self.dir.path().join("key"));
        for option in [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=30",
            // One key exchange for many commands: an emulated guest takes seconds for it.
            "ControlMaster=auto",
            "ControlPersist=300",
        ] {
            ssh.arg("-o").arg(option);
        }
        let control = self.spec.runtime_dir.join("ssh");
        ssh.arg("-o")
            .arg(format!("ControlPath={}", control.display()));
        let port = self.spec.network.ssh_port.unwrap().to_string();
        ssh.arg("-p").arg(port);
        ssh.kill_on_drop(true);
        ssh
    }
}

/// Ends a machine that a failed test leaves behind.
pub(crate) struct Leash(pub(crate) PathBuf);

impl Drop for Leash {
    fn drop(&mut self) {
        let Ok(record) = std::fs::read(self.0.join("process.json")) else {
            return;
        };
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        let marker = self.0.join("qemu.pid").display().to_string();
        let pid = record["pid"].as_u64().unwrap();
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if line.contains(&marker) {
            succeed(Command::new("kill").args(["-9", &pid.to_string()]));
        }
    }
}

/// A qemu-nbd that serves one image; killed at the end.
pub(crate) struct DiskServer {
    pub(crate) socket: PathBuf,
    image: PathBuf,
    format: String,
    pid_file: PathBuf,
}

impl DiskServer {
    pub(crate) fn start(image: &Path, format: &str, socket: &Path) -> Self {
        let server = Self {
            socket: socket.to_owned(),
            image: image.to_owned(),
            format: format.to_owned(),
            pid_file: socket.with_extension("pid"),
        };
        server.run();
        server
    }

    /// Returns once it listens: it leaves the foreground only then.
    pub(crate) fn run(&self) {
        succeed(
            Command::new("qemu-nbd")
                .args([
                    "--persistent",
                    "--fork",
                    "--discard=unmap",
                    "--shared=4",
                    "-f",
                ])
                .arg(&self.format)
                .arg("--pid-file")
                .arg(&self.pid_file)
                .arg("-k")
                .args([&self.socket, &self.image]),
        );
    }

    pub(crate) fn kill(&self) {
        let Ok(pid) = std::fs::read_to_string(&self.pid_file) else {
            return;
        };
        succeed(Command::new("kill").args(["-9", pid.trim()]));
        std::fs::remove_file(&self.pid_file).unwrap();
        let is_socket = |path: &Path| {
            path.metadata()
                .is_ok_and(|found| found.file_type().is_socket())
        };
        if is_socket(&self.socket) {
            std::fs::remove_file(&self.socket).unwrap();
        }
    }
}

impl Drop for DiskServer {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn disk(volume_id: &str, socket: &Path, boot: bool) -> DiskSpec {
    DiskSpec {
        volume_id: volume_id.to_owned(),
        socket: socket.to_owned(),
        export: String::new(),
        device_name: "/dev/xvda".to_owned(),
        boot,
        read_only: false,
    }
}

/// Asks again until there is an answer. The deadline only ends a test that has failed.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
    }
}

/// Waits with a deadline that only ends a test that has failed.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

pub(crate) async fn next_event(events: &mut cairn_vmm::MachineEvents) -> cairn_vmm::MachineEvent {
    in_time("an event", events.next())
        .await
        .expect("one more event")
}

pub(crate) async fn start(lab: &Lab) -> Machine {
    cairn_vmm::start(&lab.spec, &lab.config).await.unwrap()
}

/// The example program beside this test's own.
fn metadata_link() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let link = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/metadata_link");
    // `cargo test` builds it, `cargo test --test machine` does not.
    assert!(
        link.is_file(),
        "first: cargo build -p cairn-vmm --example metadata_link"
    );
    link
}

fn ssh_key(dir: &Path) -> String {
    let key = dir.join("key");
    succeed(
        Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"])
            .arg(&key),
    );
    std::fs::read_to_string(key.with_extension("pub"))
        .unwrap()
        .trim()
        .to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

pub(crate) fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub(crate) fn succeed(command: &mut Command) {
    let output = run(command);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {words}");
}

fn metadata(key: String) -> InstanceMetadata {
    InstanceMetadata {
        instance_id: INSTANCE_ID.to_owned(),
        image_id: "ami-0123456789abcdef0".to_owned(),
        ami_launch_index: 0,
        instance_type: "t3.small".to_owned(),
        architecture: Architecture::X86_64,
        reservation_id: "r-0123456789abcdef0".to_owned(),
        account_id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        availability_zone: "us-east-1a".to_owned(),
        availability_zone_id: "use1-az1".to_owned(),
        pending_time: "2026-11-23T07:00:00Z".to_owned(),
        kernel_id: None,
        ramdisk_id: None,
        local_hostname: NAME.to_owned(),
        services_domain: "amazonaws.com".to_owned(),
        partition: "aws".to_owned(),
        network: NetworkInterface {
            mac: "02:00:17:2a:00:0f".to_owned(),
            interface_id: "eni-0123456789abcdef0".to_owned(),
            private_ip: ADDRESS,
            subnet_id: "subnet-0123456789abcdef0".to_owned(),
            subnet_cidr: "172.31.0.0/20".to_owned(),
            vpc_id: "vpc-0123456789abcdef0".to_owned(),
            vpc_cidr: "172.31.0.0/16".to_owned(),
            security_groups: vec![("sg-0123456789abcdef0".to_owned(), "default".to_owned())],
        },
        root_device_name: "/dev/xvda".to_owned(),
        block_devices: Vec::new(),
        public_keys: vec![PublicKey {
            name: "lab key".to_owned(),
            openssh_key: key,
        }],
        user_data: Some(b"#!/bin/sh\necho ran >>/root/user-data-runs\nexit 3\n".to_vec()),
        tags: Vec::new(),
        options: MetadataOptions {
            http_endpoint_enabled: true,
            http_tokens: HttpTokens::Required,
            tags_enabled: false,
        },
    }
}
