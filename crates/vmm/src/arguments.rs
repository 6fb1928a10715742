//! QEMU's command line for a machine.
//!
//! # The network
//! QEMU's user-mode network needs no privilege, and reaches a guest's metadata
//! service only if 169.254.169.254 lies inside the network that it plays. So
//! the guest is given an odd netmask: the smallest network that holds both its
//! private address and the metadata address, such as 168.0.0.0/5 for the
//! default VPC of 172.31.0.0/16. The guest then takes the metadata address for
//! a neighbour, asks for it by ARP, and QEMU answers; DHCP hands out exactly
//! the private address. QEMU takes no network wider than /4, which leaves the
//! VPCs inside 160.0.0.0/4.

use std::net::Ipv4Addr;
use std::path::Path;

use aws_lc_rs::digest;

use crate::config::{Config, Egress};
use crate::disks::{self, SLOTS};
use crate::error::MachineError;
use crate::firmware::Firmware;
use crate::layout;
use crate::spec::{Accelerator, Architecture, MachineSpec, NetworkSpec};

/// The address of the instance metadata service.
const METADATA_ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// The widest network that QEMU's user-mode stack takes, as a prefix length.
const PREFIX_MIN: u32 = 4;

/// The PCI slot of the first disk port; each slot carries eight ports.
const FIRST_PORT_SLOT: usize = 0x10;

/// Returns QEMU's arguments. The machine is started paused, detached from the
/// caller, with its monitor listening.
pub(crate) fn arguments(
    spec: &MachineSpec,
    config: &Config,
    firmware: Option<&Firmware>,
) -> Result<Vec<String>, MachineError> {
    let mut line = Vec::new();
    process(&mut line, spec)?;
    hardware(&mut line, spec);
    if let Some(firmware) = firmware {
        uefi(&mut line, spec, firmware)?;
    }
    identity(&mut line, spec);
    monitor_and_console(&mut line, spec)?;
    network(&mut line, spec, config)?;
    disk_ports(&mut line, spec);
    attached_disks(&mut line, spec, config)?;
    Ok(line)
}

/// Returns the QEMU program for an architecture, and Debian's package for it.
pub(crate) fn program(architecture: Architecture) -> (&'static str, &'static str) {
    match architecture {
        Architecture::I386 => ("qemu-system-i386", "qemu-system-x86"),
        Architecture::X86_64 => ("qemu-system-x86_64", "qemu-system-x86"),
        Architecture::Arm64 => ("qemu-system-aarch64", "qemu-system-arm"),
    }
}

fn process(line: &mut Vec<String>, spec: &MachineSpec) -> Result<(), MachineError> {
    add(line, "-name", &spec.id);
    flag(line, "-daemonize");
    // Nothing runs until the monitor is connected, so that no event is missed.
    flag(line, "-S");
    // Given as a word of its own: it is also how the process is recognised.
    add(line, "-pidfile", text(&layout::pid_file(&spec.dir))?);
    flag(line, "-nodefaults");
    flag(line, "-no-user-config");
    add(line, "-display", "none");
    // Starting programs stays allowed: the metadata link is one, and it is
    // started in a session of its own, which `elevateprivileges=deny` would
    // forbid. No privilege can be gained by that: the filter itself forbids new
    // ones, to QEMU and to what it starts.
    add(line, "-sandbox", "on,obsolete=deny,resourcecontrol=deny");
    // What QEMU says after it has detached itself goes there too.
    add(line, "-D", text(&layout::log_file(&spec.dir))?);
    add(line, "-msg", "timestamp=on");
    // A guest's reboot is a reboot, its power-off ends the process, and a
    // kernel that panics stays as it is, for its console to be read.
    add(line, "-action", "reboot=reset,shutdown=poweroff,panic=none");
    Ok(())
}

fn hardware(line: &mut Vec<String>, spec: &MachineSpec) {
    let accelerator = spec.accelerator.for_guest(spec.architecture);
    add(line, "-machine", machine_type(spec.architecture));
    add(
        line,
        "-accel",
        match accelerator {
            Accelerator::Kvm => "kvm",
            // Its cache of translated code is a gigabyte if not told otherwise.
            Accelerator::Tcg => "tcg,tb-size=256",
        },
    );
    add(line, "-cpu", processor(accelerator, spec.architecture));
    add(line, "-smp", &spec.vcpus.to_string());
    add(line, "-m", &format!("{}M", spec.memory_mib));
    add(line, "-rtc", "base=utc");
    if spec.architecture == Architecture::X86_64 {
        // A guest that slept would wait for a wake-up that nobody can send.
        add(line, "-global", "ICH9-LPC.disable_s3=1");
        add(line, "-global", "ICH9-LPC.disable_s4=1");
    }
    if spec.architecture != Architecture::Arm64 {
        add(line, "-device", "pvpanic");
    }
    add(line, "-object", "rng-random,id=rng,filename=/dev/urandom");
    add(line, "-device", "virtio-rng-pci,rng=rng");
}

fn machine_type(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::I386 => "pc",
        Architecture::X86_64 => "q35",
        Architecture::Arm64 => "virt",
    }
}

fn processor(accelerator: Accelerator, architecture: Architecture) -> &'static str {
    match (accelerator, architecture) {
        (Accelerator::Kvm, _) => "host",
        // Real pointer authentication costs an emulated guest half its speed.
        (Accelerator::Tcg, Architecture::Arm64) => "max,pauth-impdef=on",
        (Accelerator::Tcg, _) => "max",
    }
}

fn uefi(
    line: &mut Vec<String>,
    spec: &MachineSpec,
    firmware: &Firmware,
) -> Result<(), MachineError> {
    let code = escape(text(&firmware.code)?);
    let variables_file = layout::variables_file(&spec.dir);
    let variables = escape(text(&variables_file)?);
    add(
        line,
        "-drive",
        &format!("if=pflash,unit=0,format=raw,readonly=on,file={code}"),
    );
    add(
        line,
        "-drive",
        &format!("if=pflash,unit=1,format=raw,file={variables}"),
    );
    Ok(())
}

/// What cloud-init and others tell EC2 by: the vendor's name, and a UUID equal
/// to the serial number that begins with `ec2`.
fn identity(line: &mut Vec<String>, spec: &MachineSpec) {
    let uuid = system_uuid(&spec.id);
    let product = &spec.instance_type;
    add(
        line,
        "-smbios",
        "type=0,vendor=Amazon EC2,version=1.0,date=10/16/2017",
    );
    add(
        line,
        "-smbios",
        &format!("type=1,manufacturer=Amazon EC2,product={product},uuid={uuid},serial={uuid}"),
    );
    add(
        line,
        "-smbios",
        &format!("type=2,manufacturer=Amazon EC2,asset={}", spec.id),
    );
    add(
        line,
        "-smbios",
        "type=3,manufacturer=Amazon EC2,asset=Amazon EC2",
    );
}

/// A UUID that begins with `ec2` and is the same for every start of an instance.
fn system_uuid(instance_id: &str) -> String {
    let digest = digest::digest(&digest::SHA256, instance_id.as_bytes());
    let hex = hex::encode(&digest.as_ref()[..16]);
    let (a, b, c, d) = (&hex[3..8], &hex[8..12], &hex[12..16], &hex[16..20]);
    format!("ec2{a}-{b}-{c}-{d}-{}", &hex[20..32])
}

fn monitor_and_console(line: &mut Vec<String>, spec: &MachineSpec) -> Result<(), MachineError> {
    let qmp_socket = layout::qmp_socket(&spec.runtime_dir, &spec.id);
    let console_file = layout::console_file(&spec.dir);
    let (socket, console) = (escape(text(&qmp_socket)?), escape(text(&console_file)?));
    add(
        line,
        "-chardev",
        &format!("socket,id=qmp,path={socket},server=on,wait=off"),
    );
    add(line, "-mon", "chardev=qmp,mode=control");
    add(
        line,
        "-chardev",
        &format!("file,id=console,path={console},append=on"),
    );
    add(line, "-serial", "chardev:console");
    Ok(())
}

fn network(
    line: &mut Vec<String>,
    spec: &MachineSpec,
    config: &Config,
) -> Result<(), MachineError> {
    let network = &spec.network;
    let (host, domain) = split_hostname(&network.hostname);
    let mut options = vec![
        "user,id=net".to_owned(),
        format!("net={}", supernet(network)?),
        format!("host={}", network.gateway),
        format!("dns={}", network.dns),
        format!("dhcpstart={}", network.private_ip),
        format!("hostname={host}"),
        "ipv6=off".to_owned(),
        format!(
            "restrict={}",
            match config.egress {
                Egress::Isolated => "on",
                Egress::Open => "off",
            }
        ),
        format!(
            "guestfwd=tcp:{METADATA_ADDRESS}:80-cmd:{}",
            metadata_command(spec, config)?
        ),
    ];
    if let Some(domain) = domain {
        options.push(format!("domainname={domain}"));
    }
    if let Some(port) = network.ssh_port {
        options.push(format!(
            "hostfwd=tcp:127.0.0.1:{port}-{}:22",
            network.private_ip
        ));
    }
    add(line, "-netdev", &options.join(","));
    // No boot ROM: EC2 does not boot from the network, and looking costs seconds.
    let mac = &network.mac;
    add(
        line,
        "-device",
        &format!("virtio-net-pci,netdev=net,mac={mac},romfile=,addr=0x5"),
    );
    Ok(())
}

fn split_hostname(hostname: &str) -> (&str, Option<&str>) {
    match hostname.split_once('.') {
        Some((host, domain)) => (host, Some(domain)),
        None => (hostname, None),
    }
}

/// Whether a machine can have an address: its network has to hold the metadata service too.
pub fn can_have_address(private_ip: Ipv4Addr) -> bool {
    prefix_with_metadata(private_ip) >= PREFIX_MIN
}

/// The longest prefix that an address has in common with that of the metadata service.
fn prefix_with_metadata(private_ip: Ipv4Addr) -> u32 {
    let common = (private_ip.to_bits() ^ METADATA_ADDRESS.to_bits()).leading_zeros();
    // A guest in 169.254.169.254's own subnet would still need addresses beside it.
    common.min(16)
}

/// Returns the smallest network that holds the guest and the metadata service.
fn supernet(network: &NetworkSpec) -> Result<String, MachineError> {
    let guest = network.private_ip.to_bits();
    let prefix = prefix_with_metadata(network.private_ip);
    if prefix < PREFIX_MIN {
        return Err(MachineError::UnsupportedNetwork {
            private_ip: network.private_ip,
        });
    }
    let base = Ipv4Addr::from_bits(guest & (u32::MAX << (32 - prefix)));
    Ok(format!("{base}/{prefix}"))
}

/// QEMU splits the command into words as a shell does, after it has split the
/// option at its commas.
fn metadata_command(spec: &MachineSpec, config: &Config) -> Result<String, MachineError> {
    let socket = text(&spec.metadata_socket)?;
    let words = config
        .metadata_link
        .iter()
        .map(String::as_str)
        .chain([socket]);
    let quoted: Vec<String> = words.map(shell_quote).collect();
    Ok(escape(&quoted.join(" ")))
}

fn disk_ports(line: &mut Vec<String>, spec: &MachineSpec) {
    if !disks::has_slots(spec.architecture) {
        return;
    }
    for index in 0..SLOTS {
        let (slot, function) = (FIRST_PORT_SLOT + index / 8, index % 8);
        let multifunction = if function == 0 {
            ",multifunction=on"
        } else {
            ""
        };
        let (name, chassis) = (disks::slot_name(index + 1), index + 1);
        add(
            line,
            "-device",
            &format!(
                "pcie-root-port,id={name},chassis={chassis},addr={slot:#x}.{function}{multifunction}"
            ),
        );
    }
}

fn attached_disks(
    line: &mut Vec<String>,
    spec: &MachineSpec,
    config: &Config,
) -> Result<(), MachineError> {
    let slotted = disks::has_slots(spec.architecture);
    if slotted && spec.disks.len() > SLOTS {
        return Err(MachineError::NoFreeSlot { slots: SLOTS });
    }
    for (index, disk) in spec.disks.iter().enumerate() {
        text(&disk.socket)?;
        let bus = slotted.then(|| disks::slot_name(index + 1));
        add(
            line,
            "-blockdev",
            &disks::block_node(disk, config).to_string(),
        );
        add(
            line,
            "-device",
            &disks::device(disk, bus.as_deref()).to_string(),
        );
    }
    Ok(())
}

fn flag(line: &mut Vec<String>, name: &str) {
    line.push(name.to_owned());
}

fn add(line: &mut Vec<String>, name: &str, value: &str) {
    line.push(name.to_owned());
    line.push(value.to_owned());
}

/// QEMU reads a doubled comma as part of a value.
fn escape(value: &str) -> String {
    value.replace(',', ",,")
}

fn shell_quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn text(path: &Path) -> Result<&str, MachineError> {
    path.to_str().ok_or_else(|| MachineError::InvalidSpec {
        reason: format!("the path {} is not UTF-8", path.display()),
    })
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
