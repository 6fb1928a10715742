//! What a machine is: plain data, written down before the machine starts.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::MachineError;

/// A machine's instruction set, by the names of EC2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// 32-bit x86.
    #[serde(rename = "i386")]
    I386,
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm.
    #[serde(rename = "arm64")]
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I386 => "i386",
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

/// Which firmware starts the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BootMode {
    /// A PC BIOS.
    #[serde(rename = "legacy-bios")]
    LegacyBios,
    /// UEFI, with variables that are kept with the machine.
    #[serde(rename = "uefi")]
    Uefi,
}

impl fmt::Display for BootMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LegacyBios => "legacy-bios",
            Self::Uefi => "uefi",
        })
    }
}

/// What runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The host's processor, through Linux KVM.
    Kvm,
    /// QEMU's translator: slower, works everywhere, for every architecture.
    Tcg,
}

impl Accelerator {
    /// Returns what can run a guest of `architecture` on this host, given what
    /// works for the host's own architecture.
    #[must_use]
    pub fn for_guest(self, architecture: Architecture) -> Self {
        let native = match architecture {
            Architecture::X86_64 | Architecture::I386 => cfg!(target_arch = "x86_64"),
            Architecture::Arm64 => cfg!(target_arch = "aarch64"),
        };
        if native { self } else { Self::Tcg }
    }
}

/// One disk: an NBD export on a unix socket, shown to the guest as an NVMe disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskSpec {
    /// The volume's id, `vol-…`. Its NVMe serial number is `vol…` without the dash, as on EC2.
    pub volume_id: String,
    /// The socket on which the volume's bytes are served.
    pub socket: PathBuf,
    /// The export's name on that socket; empty for the default export.
    #[serde(default)]
    pub export: String,
    /// The name of the attachment, such as `/dev/xvda`. The guest does not see it.
    pub device_name: String,
    /// Whether the firmware boots from this disk.
    pub boot: bool,
    /// Whether the guest may not write.
    pub read_only: bool,
}

/// The machine's one network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// The address that DHCP gives the guest.
    pub private_ip: Ipv4Addr,
    /// The interface's hardware address, six pairs of hexadecimal digits.
    pub mac: String,
    /// The subnet's router.
    pub gateway: Ipv4Addr,
    /// The VPC's name server, its base address plus two.
    pub dns: Ipv4Addr,
    /// The guest's full host name, such as `ip-172-31-0-15.ec2.internal`.
    pub hostname: String,
    /// The port on the host's 127.0.0.1 that leads to the guest's port 22.
    pub ssh_port: Option<u16>,
}

/// Everything that a machine is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineSpec {
    /// The instance's id, `i-…`.
    pub id: String,
    /// The instance type, such as `t3.small`; shown to the guest as its product name.
    pub instance_type: String,
    /// The machine's own directory, absolute. Records, logs and firmware variables are kept there.
    pub dir: PathBuf,
    /// The directory for the monitor's socket, absolute and short; see [`crate::runtime_dir`].
    pub runtime_dir: PathBuf,
    /// The instruction set.
    pub architecture: Architecture,
    /// The firmware.
    pub boot_mode: BootMode,
    /// How many processors.
    pub vcpus: u32,
    /// How much memory, in MiB.
    pub memory_mib: u64,
    /// What runs the guest, where it can run this architecture.
    pub accelerator: Accelerator,
    /// The disks at the start.
    pub disks: Vec<DiskSpec>,
    /// The network interface.
    pub network: NetworkSpec,
    /// The socket on which this instance's metadata service listens.
    pub metadata_socket: PathBuf,
}

impl MachineSpec {
    /// Checks that every value has its form, so that none of them can change
    /// the meaning of QEMU's command line.
    ///
    /// # Errors
    /// [`MachineError::InvalidSpec`] names the first value that has not.
    pub fn validate(&self) -> Result<(), MachineError> {
        check(is_resource_id(&self.id, "i-"), "id", &self.id)?;
        check(
            is_name(&self.instance_type),
            "instance_type",
            &self.instance_type,
        )?;
        check(is_mac(&self.network.mac), "mac", &self.network.mac)?;
        check(
            is_name(&self.network.hostname),
            "hostname",
            &self.network.hostname,
        )?;
        check(self.vcpus >= 1, "vcpus", &self.vcpus)?;
        check(self.memory_mib >= 1, "memory_mib", &self.memory_mib)?;
        let dirs = self.dir.is_absolute() && self.runtime_dir.is_absolute();
        check(dirs, "dir", &self.dir.display())?;
        self.disks.iter().try_for_each(DiskSpec::validate)
    }
}

impl DiskSpec {
    /// Checks the volume's id.
    ///
    /// # Errors
    /// [`MachineError::InvalidSpec`] if it is not one.
    pub fn validate(&self) -> Result<(), MachineError> {
        check(
            is_resource_id(&self.volume_id, "vol-"),
            "volume_id",
            &self.volume_id,
        )
    }

    /// Returns the NVMe serial number, as EC2 forms it: the id without its dash.
    #[must_use]
    pub fn serial(&self) -> String {
        self.volume_id.replace('-', "")
    }
}

fn check(holds: bool, what: &str, value: &dyn fmt::Display) -> Result<(), MachineError> {
    if holds {
        return Ok(());
    }
    Err(MachineError::InvalidSpec {
        reason: format!("{what} is {value}"),
    })
}

/// EC2's ids have 8 or 17 hexadecimal digits. An NVMe serial number has room for no more.
fn is_resource_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        (1..=17).contains(&digits.len())
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_name(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

fn is_mac(text: &str) -> bool {
    text.split(':').count() == 6
        && text
            .split(':')
            .all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
