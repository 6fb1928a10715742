//! The command line, word for word where a word matters.

use std::path::PathBuf;

use super::*;
use crate::spec::{BootMode, DiskSpec};

fn disk(digit: char, boot: bool) -> DiskSpec {
    DiskSpec {
        volume_id: format!("vol-{}", digit.to_string().repeat(17)),
        socket: format!("/run/c/{digit}.sock").into(),
        export: String::new(),
        device_name: "/dev/xvda".to_owned(),
        boot,
        read_only: false,
    }
}

fn spec() -> MachineSpec {
    MachineSpec {
        id: "i-0123456789abcdef0".to_owned(),
        instance_type: "t3.small".to_owned(),
        dir: "/data/i".into(),
        runtime_dir: "/run/c".into(),
        architecture: Architecture::X86_64,
        boot_mode: BootMode::LegacyBios,
        vcpus: 2,
        memory_mib: 512,
        accelerator: Accelerator::Tcg,
        disks: vec![disk('a', true), disk('b', false)],
        network: NetworkSpec {
            private_ip: Ipv4Addr::new(172, 31, 0, 15),
            mac: "02:00:00:00:00:0f".to_owned(),
            gateway: Ipv4Addr::new(172, 31, 0, 1),
            dns: Ipv4Addr::new(172, 31, 0, 2),
            hostname: "ip-172-31-0-15.ec2.internal".to_owned(),
            ssh_port: Some(2201),
        },
        metadata_socket: "/run/c/m.sock".into(),
    }
}

fn config() -> Config {
    Config::new(vec![
        "/usr/bin/cairn".to_owned(),
        "metadata-link".to_owned(),
    ])
}

fn line(spec: &MachineSpec, config: &Config) -> Vec<String> {
    arguments(spec, config, None).unwrap()
}

/// The values of every option of that name.
fn values<'a>(line: &'a [String], name: &str) -> Vec<&'a str> {
    let pairs = line.windows(2).filter(|pair| pair[0] == name);
    pairs.map(|pair| pair[1].as_str()).collect()
}

#[test]
fn the_whole_line_of_a_plain_machine() {
    let mut spec = spec();
    spec.disks.truncate(1);
    let line = line(&spec, &config());
    let ports = |word: &String| word.starts_with("pcie-root-port");
    assert_eq!(line.iter().filter(|word| ports(word)).count(), SLOTS);
    let first_port = line.iter().position(ports).unwrap() - 1;
    let expected = [
        "-name",
        "i-0123456789abcdef0",
        "-daemonize",
        "-S",
        "-pidfile",
        "/data/i/qemu.pid",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-sandbox",
        "on,obsolete=deny,resourcecontrol=deny",
        "-D",
        "/data/i/qemu.log",
        "-msg",
        "timestamp=on",
        "-action",
        "reboot=reset,shutdown=poweroff,panic=none",
        "-machine",
        "q35",
        "-accel",
        "tcg,tb-size=256",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-m",
        "512M",
        "-rtc",
        "base=utc",
        "-global",
        "ICH9-LPC.disable_s3=1",
        "-global",
        "ICH9-LPC.disable_s4=1",
        "-device",
        "pvpanic",
        "-object",
        "rng-random,id=rng,filename=/dev/urandom",
        "-device",
        "virtio-rng-pci,rng=rng",
        "-smbios",
        "type=0,vendor=Amazon EC2,version=1.0,date=10/16/2017",
        "-smbios",
        "type=1,manufacturer=Amazon EC2,product=t3.small,\
         uuid=ec2f7329-1f7c-5399-19b0-62b1a6e8a901,serial=ec2f7329-1f7c-5399-19b0-62b1a6e8a901",
        "-smbios",
        "type=2,manufacturer=Amazon EC2,asset=i-0123456789abcdef0",
        "-smbios",
        "type=3,manufacturer=Amazon EC2,asset=Amazon EC2",
        "-chardev",
        "socket,id=qmp,path=/run/c/i-0123456789abcdef0.qmp,server=on,wait=off",
        "-mon",
        "chardev=qmp,mode=control",
        "-chardev",
        "file,id=console,path=/data/i/console.log,append=on",
        "-serial",
        "chardev:console",
        "-netdev",
        "user,id=net,net=168.0.0.0/5,host=172.31.0.1,dns=172.31.0.2,\
         dhcpstart=172.31.0.15,hostname=ip-172-31-0-15,ipv6=off,restrict=on,\
         guestfwd=tcp:169.254.169.254:80-cmd:'/usr/bin/cairn' 'metadata-link' '/run/c/m.sock',\
         domainname=ec2.internal,hostfwd=tcp:127.0.0.1:2201-172.31.0.15:22",
        "-device",
        "virtio-net-pci,netdev=net,mac=02:00:00:00:00:0f,romfile=,addr=0x5",
    ];
    assert_eq!(line[..first_port], expected);
    let ports = &line[first_port..first_port + 2 * SLOTS];
    assert_eq!(
        ports[1],
        "pcie-root-port,id=slot01,chassis=1,addr=0x10.0,multifunction=on"
    );
    assert_eq!(
        ports[2 * 9 - 1],
        "pcie-root-port,id=slot09,chassis=9,addr=0x11.0,multifunction=on"
    );
    assert_eq!(
        ports[2 * SLOTS - 1],
        "pcie-root-port,id=slot24,chassis=24,addr=0x12.7"
    );
    assert_eq!(line[first_port + 2 * SLOTS..].len(), 4, "one disk");
}

#[test]
fn disks_wait_for_their_server_and_carry_the_serial_numbers_of_ec2() {
    let line = line(&spec(), &config());
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let nodes: Vec<_> = values(&line, "-blockdev").into_iter().map(json).collect();
    assert_eq!(
        nodes[0],
        serde_json::json!({
            "driver": "nbd", "node-name": "vol-aaaaaaaaaaaaaaaaa", "export": "",
            "server": {"type": "unix", "path": "/run/c/a.sock"},
            "reconnect-delay": 315_360_000, "open-timeout": 10,
            "read-only": false, "discard": "unmap",
        })
    );
    let devices: Vec<_> = values(&line, "-device")
        .into_iter()
        .filter(|text| text.starts_with('{'))
        .map(json)
        .collect();
    assert_eq!(
        devices,
        [
            serde_json::json!({
                "driver": "nvme", "id": "disk-vol-aaaaaaaaaaaaaaaaa", "serial": "volaaaaaaaaaaaaaaaaa",
                "drive": "vol-aaaaaaaaaaaaaaaaa", "bus": "slot01", "bootindex": 0,
            }),
            serde_json::json!({
                "driver": "nvme", "id": "disk-vol-bbbbbbbbbbbbbbbbb", "serial": "volbbbbbbbbbbbbbbbbb",
                "drive": "vol-bbbbbbbbbbbbbbbbb", "bus": "slot02",
            }),
        ]
    );
}

#[test]
fn the_network_holds_the_guest_and_the_metadata_service() {
    let network_of = |ip: [u8; 4]| {
        let mut network = spec().network;
        network.private_ip = ip.into();
        supernet(&network)
    };
    assert_eq!(network_of([172, 31, 0, 15]).unwrap(), "168.0.0.0/5");
    assert_eq!(network_of([172, 16, 9, 9]).unwrap(), "168.0.0.0/5");
    assert_eq!(network_of([160, 0, 0, 4]).unwrap(), "160.0.0.0/4");
    assert_eq!(network_of([169, 254, 169, 3]).unwrap(), "169.254.0.0/16");
    for outside in [[10, 0, 0, 5], [192, 168, 1, 5], [100, 64, 0, 1]] {
        let error = network_of(outside).unwrap_err();
        assert!(
            matches!(error, MachineError::UnsupportedNetwork { .. }),
            "{error}"
        );
    }
}

#[test]
fn an_open_network_is_a_choice() {
    let mut config = config();
    config.egress = Egress::Open;
    let line = line(&spec(), &config);
    assert!(values(&line, "-netdev")[0].contains("restrict=off"));
}

#[test]
fn paths_cannot_end_an_option_or_a_word() {
    let mut spec = spec();
    spec.dir = "/data/a,b".into();
    spec.metadata_socket = "/run/it's, here".into();
    let line = line(&spec, &config());
    let console = "file,id=console,path=/data/a,,b/console.log,append=on";
    assert!(values(&line, "-chardev").contains(&console));
    assert!(
        values(&line, "-netdev")[0].contains(r"'metadata-link' '/run/it'\''s,, here',domainname")
    );
    assert!(values(&line, "-pidfile") == ["/data/a,b/qemu.pid"]);
}

#[test]
fn each_architecture_has_its_machine() {
    let mut spec = spec();
    spec.architecture = Architecture::I386;
    let i386 = line(&spec, &config());
    assert_eq!(values(&i386, "-machine"), ["pc"]);
    assert!(
        !i386
            .iter()
            .any(|word| word.contains("pcie-root-port") || word.contains("\"bus\""))
    );

    spec.architecture = Architecture::Arm64;
    spec.accelerator = Accelerator::Kvm;
    let firmware = Firmware {
        code: PathBuf::from("/f/code"),
        variables: PathBuf::from("/f/vars"),
    };
    let arm64 = arguments(&spec, &config(), Some(&firmware)).unwrap();
    assert_eq!(values(&arm64, "-machine"), ["virt"]);
    assert_eq!(
        values(&arm64, "-drive"),
        [
            "if=pflash,unit=0,format=raw,readonly=on,file=/f/code",
            "if=pflash,unit=1,format=raw,file=/data/i/uefi-variables.fd",
        ]
    );
    if cfg!(target_arch = "x86_64") {
        assert_eq!(
            values(&arm64, "-accel"),
            ["tcg,tb-size=256"],
            "KVM runs no foreign guest"
        );
    }
}

#[test]
fn too_many_disks_are_refused() {
    let mut spec = spec();
    spec.disks = vec![disk('a', false); SLOTS + 1];
    let error = arguments(&spec, &config(), None).unwrap_err();
    assert!(
        matches!(error, MachineError::NoFreeSlot { slots: SLOTS }),
        "{error}"
    );
}

#[test]
fn a_value_of_the_wrong_form_is_refused() {
    type Spoil = fn(&mut MachineSpec);
    let spoils: &[(&str, Spoil)] = &[
        ("id", |spec| spec.id = "i-0,readonly=on".to_owned()),
        ("id", |spec| spec.id = "../../etc".to_owned()),
        ("instance_type", |spec| {
            spec.instance_type = "t3,uuid=0".to_owned();
        }),
        ("mac", |spec| spec.network.mac = "02:00:00:00:00".to_owned()),
        ("hostname", |spec| spec.network.hostname = "a,b".to_owned()),
        ("volume_id", |spec| {
            spec.disks[0].volume_id = "vol-123456789abcdef012".to_owned();
        }),
        ("vcpus", |spec| spec.vcpus = 0),
        ("memory_mib", |spec| spec.memory_mib = 0),
        ("dir", |spec| spec.dir = "relative".into()),
    ];
    spec().validate().unwrap();
    for (what, spoil) in spoils {
        let mut spec = spec();
        spoil(&mut spec);
        let error = spec.validate().unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
    }
}
