//! Instance types: what a launch may ask for, and what the machine then gets.
//!
//! Figures are those of DescribeInstanceTypes. Only types that a machine of moderate size can run
//! are here; a guest gets the processors and the memory of its type.

use crate::{
    filter::{Filterable, many, one},
    image::{Architecture, BootMode},
    tag::Tags,
};

/// Volumes of one instance, the root included: a machine has ports for so many disks.
pub const VOLUMES_MAX: usize = 24;

/// A type of instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstanceType {
    /// The name, such as `t3.small`.
    pub name: &'static str,
    /// Virtual processors.
    pub vcpus: i32,
    /// Cores, of one or two virtual processors each.
    pub cores: i32,
    /// Memory in MiB.
    pub memory_mib: i32,
    /// What its processors can run.
    pub architectures: &'static [Architecture],
    /// Hypervisor.
    pub hypervisor: Hypervisor,
    /// Whether it is of the current generation.
    pub current_generation: bool,
    /// Whether the free tier covers it.
    pub free_tier_eligible: bool,
    /// Whether its processor performance is burstable.
    pub burstable: bool,
    /// Sustained clock speed in GHz.
    pub clock_ghz: f64,
    /// Network performance in words.
    pub network_performance: &'static str,
    /// The greatest number of network interfaces.
    pub network_interfaces: i32,
    /// IPv4 addresses per network interface.
    pub ipv4_per_interface: i32,
}

/// What runs the machines of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Hypervisor {
    Xen,
    Nitro,
}

impl Hypervisor {
    /// The name that EC2 gives it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xen => "xen",
            Self::Nitro => "nitro",
        }
    }
}

const X86: &[Architecture] = &[Architecture::X86_64];
const X86_AND_I386: &[Architecture] = &[Architecture::I386, Architecture::X86_64];
const ARM: &[Architecture] = &[Architecture::Arm64];

/// What the types of one family have in common.
#[derive(Clone, Copy)]
struct Family {
    architectures: &'static [Architecture],
    hypervisor: Hypervisor,
    current_generation: bool,
    burstable: bool,
    threads_per_core: i32,
    clock_ghz: f64,
    network_performance: &'static str,
}

const T2: Family = Family {
    architectures: X86,
    hypervisor: Hypervisor::Xen,
    current_generation: true,
    burstable: true,
    threads_per_core: 1,
    clock_ghz: 2.3,
    network_performance: "Low to Moderate",
};
const T3: Family = Family {
    hypervisor: Hypervisor::Nitro,
    threads_per_core: 2,
    clock_ghz: 2.5,
    network_performance: "Up to 5 Gigabit",
    ..T2
};
const T3A: Family = Family {
    clock_ghz: 2.2,
    ..T3
};
const T4G: Family = Family {
    architectures: ARM,
    threads_per_core: 1,
    ..T3
};
const M5: Family = Family {
    burstable: false,
    clock_ghz: 3.1,
    network_performance: "Up to 10 Gigabit",
    ..T3
};
const M6G: Family = Family {
    clock_ghz: 2.5,
    network_performance: "Up to 10 Gigabit",
    burstable: false,
    ..T4G
};
const M6I: Family = Family {
    clock_ghz: 3.5,
    network_performance: "Up to 12.5 Gigabit",
    ..M5
};
const C5: Family = Family {
    clock_ghz: 3.4,
    ..M5
};
const C6I: Family = M6I;
const C6G: Family = M6G;
const R5: Family = M5;

impl Family {
    /// A type of this family. Types with one core have as many threads as virtual processors.
    const fn of(
        self,
        name: &'static str,
        vcpus: i32,
        memory_mib: i32,
        interfaces: i32,
        addresses: i32,
    ) -> InstanceType {
        InstanceType {
            name,
            vcpus,
            cores: if vcpus < self.threads_per_core {
                1
            } else {
                vcpus / self.threads_per_core
            },
            memory_mib,
            architectures: self.architectures,
            hypervisor: self.hypervisor,
            current_generation: self.current_generation,
            free_tier_eligible: false,
            burstable: self.burstable,
            clock_ghz: self.clock_ghz,
            network_performance: self.network_performance,
            network_interfaces: interfaces,
            ipv4_per_interface: addresses,
        }
    }
}

const fn with_i386(t: InstanceType) -> InstanceType {
    InstanceType {
        architectures: X86_AND_I386,
        ..t
    }
}

const fn free(t: InstanceType) -> InstanceType {
    InstanceType {
        free_tier_eligible: true,
        ..t
    }
}

static TYPES: [InstanceType; 35] = [
    with_i386(T2.of("t2.nano", 1, 512, 2, 2)),
    free(with_i386(T2.of("t2.micro", 1, 1_024, 2, 2))),
    with_i386(T2.of("t2.small", 1, 2_048, 3, 4)),
    with_i386(T2.of("t2.medium", 2, 4_096, 3, 6)),
    T2.of("t2.large", 2, 8_192, 3, 12),
    T3.of("t3.nano", 2, 512, 2, 2),
    free(T3.of("t3.micro", 2, 1_024, 2, 2)),
    free(T3.of("t3.small", 2, 2_048, 3, 4)),
    T3.of("t3.medium", 2, 4_096, 3, 6),
    T3.of("t3.large", 2, 8_192, 3, 12),
    T3.of("t3.xlarge", 4, 16_384, 4, 15),
    T3A.of("t3a.nano", 2, 512, 2, 2),
    T3A.of("t3a.micro", 2, 1_024, 2, 2),
    T3A.of("t3a.small", 2, 2_048, 2, 4),
    T3A.of("t3a.medium", 2, 4_096, 3, 6),
    T3A.of("t3a.large", 2, 8_192, 3, 12),
    T4G.of("t4g.nano", 2, 512, 2, 2),
    free(T4G.of("t4g.micro", 2, 1_024, 2, 2)),
    free(T4G.of("t4g.small", 2, 2_048, 3, 4)),
    T4G.of("t4g.medium", 2, 4_096, 3, 6),
    T4G.of("t4g.large", 2, 8_192, 3, 12),
    M5.of("m5.large", 2, 8_192, 3, 10),
    M5.of("m5.xlarge", 4, 16_384, 4, 15),
    M6I.of("m6i.large", 2, 8_192, 3, 10),
    M6G.of("m6g.medium", 1, 4_096, 2, 4),
    M6G.of("m6g.large", 2, 8_192, 3, 10),
    M6G.of("m6g.xlarge", 4, 16_384, 4, 15),
    C5.of("c5.large", 2, 4_096, 3, 10),
    C5.of("c5.xlarge", 4, 8_192, 4, 15),
    C6I.of("c6i.large", 2, 4_096, 3, 10),
    C6I.of("c6i.xlarge", 4, 8_192, 4, 15),
    C6G.of("c6g.medium", 1, 2_048, 2, 4),
    C6G.of("c6g.large", 2, 4_096, 3, 10),
    C6G.of("c6g.xlarge", 4, 8_192, 4, 15),
    R5.of("r5.large", 2, 16_384, 3, 10),
];

impl InstanceType {
    /// All types.
    pub fn all() -> &'static [Self] {
        &TYPES
    }

    /// The type of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|t| t.name == name)
    }

    /// The smallest type that runs an architecture: what a launch gets that names no type. EC2
    /// gives m1.small, which runs no arm64 image and which nobody can launch any more.
    pub fn default_for(architecture: Architecture) -> &'static Self {
        let name = match architecture {
            Architecture::I386 => "t2.micro",
            Architecture::X86_64 => "t3.micro",
            Architecture::Arm64 => "t4g.micro",
        };
        Self::named(name).unwrap_or(&TYPES[0])
    }

    /// Whether it runs images of an architecture.
    pub fn runs(&self, architecture: Architecture) -> bool {
        self.architectures.contains(&architecture)
    }

    /// Threads of each core.
    pub fn threads_per_core(&self) -> i32 {
        self.vcpus / self.cores
    }

    /// The firmware that it can boot by.
    pub fn boot_modes(&self) -> &'static [BootMode] {
        if self.runs(Architecture::Arm64) {
            &[BootMode::Uefi]
        } else {
            &[BootMode::LegacyBios, BootMode::Uefi]
        }
    }

    /// The firmware that it boots an image by which says nothing about it.
    pub fn default_boot_mode(&self) -> BootMode {
        self.boot_modes()[0]
    }

    /// Whether volumes are shown as NVMe devices: `required` or `unsupported`.
    pub fn nvme_support(&self) -> &'static str {
        self.nitro_has("required")
    }

    /// Enhanced networking by ENA: `required` or `unsupported`.
    pub fn ena_support(&self) -> &'static str {
        self.nitro_has("required")
    }

    /// Dedicated throughput to volumes: `default` or `unsupported`.
    pub fn ebs_optimized_support(&self) -> &'static str {
        self.nitro_has("default")
    }

    fn nitro_has(&self, what: &'static str) -> &'static str {
        match self.hypervisor {
            Hypervisor::Nitro => what,
            Hypervisor::Xen => "unsupported",
        }
    }
}

impl Filterable for InstanceType {
    const FILTERS: &'static [&'static str] = &[
        "auto-recovery-supported",
        "bare-metal",
        "burstable-performance-supported",
        "current-generation",
        "dedicated-hosts-supported",
        "ebs-info.attachment-limit-type",
        "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps",
        "ebs-info.ebs-optimized-info.baseline-iops",
        "ebs-info.ebs-optimized-info.baseline-throughput-in-mbps",
        "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps",
        "ebs-info.ebs-optimized-info.maximum-iops",
        "ebs-info.ebs-optimized-info.maximum-throughput-in-mbps",
        "ebs-info.ebs-optimized-support",
        "ebs-info.encryption-support",
        "ebs-info.maximum-ebs-attachments",
        "ebs-info.nvme-support",
        "free-tier-eligible",
        "hibernation-supported",
        "hypervisor",
        "instance-storage-info.disk.count",
        "instance-storage-info.disk.size-in-gb",
        "instance-storage-info.disk.type",
        "instance-storage-info.encryption-support",
        "instance-storage-info.nvme-support",
        "instance-storage-info.total-size-in-gb",
        "instance-storage-supported",
        "instance-type",
        "memory-info.size-in-mib",
        "network-info.bandwidth-weightings",
        "network-info.efa-info.maximum-efa-interfaces",
        "network-info.efa-supported",
        "network-info.ena-support",
        "network-info.encryption-in-transit-supported",
        "network-info.flexible-ena-queues-support",
        "network-info.ipv4-addresses-per-interface",
        "network-info.ipv6-addresses-per-interface",
        "network-info.ipv6-supported",
        "network-info.maximum-network-cards",
        "network-info.maximum-network-interfaces",
        "network-info.network-performance",
        "nitro-enclaves-support",
        "nitro-tpm-info.supported-versions",
        "nitro-tpm-support",
        "processor-info.supported-architecture",
        "processor-info.supported-features",
        "processor-info.sustained-clock-speed-in-ghz",
        "reboot-migration-support",
        "supported-boot-mode",
        "supported-root-device-type",
        "supported-usage-class",
        "supported-virtualization-type",
        "vcpu-info.default-cores",
        "vcpu-info.default-threads-per-core",
        "vcpu-info.default-vcpus",
        "vcpu-info.valid-cores",
        "vcpu-info.valid-threads-per-core",
    ];
    const HAS_TAGS: bool = false;

    fn filter_field(&self, name: &str) -> Option<Vec<String>> {
        match name {
            "auto-recovery-supported"
            | "bare-metal"
            | "dedicated-hosts-supported"
            | "hibernation-supported"
            | "instance-storage-supported"
            | "network-info.efa-supported"
            | "network-info.encryption-in-transit-supported"
            | "network-info.ipv6-supported" => one(false),
            "burstable-performance-supported" => one(self.burstable),
            "current-generation" => one(self.current_generation),
            "ebs-info.ebs-optimized-support" => one(self.ebs_optimized_support()),
            "ebs-info.attachment-limit-type" => one("dedicated"),
            "ebs-info.encryption-support" => one("supported"),
            "network-info.flexible-ena-queues-support"
            | "nitro-enclaves-support"
            | "nitro-tpm-support"
            | "reboot-migration-support" => one("unsupported"),
            "ebs-info.maximum-ebs-attachments" => one(VOLUMES_MAX),
            "ebs-info.nvme-support" => one(self.nvme_support()),
            "free-tier-eligible" => one(self.free_tier_eligible),
            "hypervisor" => one(self.hypervisor.as_str()),
            "instance-type" => one(self.name),
            "memory-info.size-in-mib" => one(self.memory_mib),
            "network-info.ena-support" => one(self.ena_support()),
            "network-info.ipv4-addresses-per-interface" => one(self.ipv4_per_interface),
            "network-info.ipv6-addresses-per-interface" => one(0),
            "network-info.maximum-network-cards" => one(1),
            "network-info.maximum-network-interfaces" => one(self.network_interfaces),
            "network-info.network-performance" => one(self.network_performance),
            "processor-info.supported-architecture" => many(self.architectures),
            "processor-info.sustained-clock-speed-in-ghz" => one(self.clock_ghz),
            "supported-boot-mode" => many(self.boot_modes()),
            "supported-root-device-type" => one("ebs"),
            "supported-usage-class" => one("on-demand"),
            "supported-virtualization-type" => one("hvm"),
            "vcpu-info.default-cores" | "vcpu-info.valid-cores" => one(self.cores),
            "vcpu-info.default-threads-per-core" | "vcpu-info.valid-threads-per-core" => {
                one(self.threads_per_core())
            }
            "vcpu-info.default-vcpus" => one(self.vcpus),
            // What EC2 tells of types and there is nothing of here.
            name => Self::FILTERS.contains(&name).then(Vec::new),
        }
    }

    fn filter_tags(&self) -> Option<&Tags> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_cores_fit() {
        let mut names: Vec<_> = TYPES.iter().map(|t| t.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TYPES.len());
        for t in &TYPES {
            assert_eq!(t.cores * t.threads_per_core(), t.vcpus, "{}", t.name);
        }
    }

    #[test]
    fn every_architecture_has_a_default() {
        for architecture in Architecture::ALL {
            assert!(InstanceType::default_for(*architecture).runs(*architecture));
        }
    }

    #[test]
    fn types_say_what_they_are() {
        let t3 = InstanceType::named("t3.micro").expect("t3.micro");
        assert_eq!((t3.vcpus, t3.cores, t3.memory_mib), (2, 1, 1_024));
        assert_eq!(
            (t3.nvme_support(), t3.default_boot_mode()),
            ("required", BootMode::LegacyBios)
        );
        let arm = InstanceType::named("t4g.micro").expect("t4g.micro");
        assert!(
            !arm.runs(Architecture::X86_64) && !arm.boot_modes().contains(&BootMode::LegacyBios)
        );
        assert_eq!(
            InstanceType::named("t2.micro").expect("t2").nvme_support(),
            "unsupported"
        );
    }

    #[test]
    fn every_filter_has_a_value_but_those_of_what_no_type_has() {
        let absent = |name: &str| {
            let of_absent = [
                "instance-storage-info.",
                "ebs-info.ebs-optimized-info.",
                "network-info.bandwidth",
                "network-info.efa-info.",
                "nitro-tpm-info.",
                "processor-info.supported-features",
            ];
            of_absent.iter().any(|prefix| name.starts_with(prefix))
        };
        for t in &TYPES {
            for name in InstanceType::FILTERS {
                let values = t.filter_field(name).expect("a field");
                assert_eq!(values.is_empty(), absent(name), "{name}");
            }
        }
    }
}
