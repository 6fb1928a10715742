//! Finds UEFI firmware on the host.

use std::path::{Path, PathBuf};

use crate::error::MachineError;
use crate::spec::{Architecture, BootMode};

/// A firmware image and the variables that a new machine starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Firmware {
    pub(crate) code: PathBuf,
    pub(crate) variables: PathBuf,
}

/// Where Debian and Ubuntu, Fedora, Arch and openSUSE put them.
const X86_64: &[(&str, &str)] = &[
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    (
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "/usr/share/qemu/ovmf-x86_64-code.bin",
        "/usr/share/qemu/ovmf-x86_64-vars.bin",
    ),
];
const ARM64: &[(&str, &str)] = &[
    (
        "/usr/share/AAVMF/AAVMF_CODE.fd",
        "/usr/share/AAVMF/AAVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
        "/usr/share/edk2/aarch64/vars-template-pflash.raw",
    ),
];

/// Returns the firmware that a machine needs; `None` where QEMU brings its own BIOS.
pub(crate) fn find(
    architecture: Architecture,
    boot_mode: BootMode,
) -> Result<Option<Firmware>, MachineError> {
    let (places, package) = match (architecture, boot_mode) {
        (Architecture::I386 | Architecture::X86_64, BootMode::LegacyBios) => return Ok(None),
        (Architecture::X86_64, BootMode::Uefi) => (X86_64, "ovmf"),
        (Architecture::Arm64, BootMode::Uefi) => (ARM64, "qemu-efi-aarch64"),
        _ => {
            return Err(MachineError::UnsupportedBoot {
                architecture,
                boot_mode,
            });
        }
    };
    first_of(places)
        .map(Some)
        .ok_or(MachineError::MissingFirmware {
            architecture,
            package,
        })
}

fn first_of(places: &[(&str, &str)]) -> Option<Firmware> {
    let both_exist = |(code, variables): &&(&str, &str)| {
        Path::new(code).exists() && Path::new(variables).exists()
    };
    let (code, variables) = places.iter().find(both_exist)?;
    Some(Firmware {
        code: code.into(),
        variables: variables.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firmware_counts_only_with_its_variables() {
        let dir = tempfile::tempdir().unwrap();
        let (code, variables) = (dir.path().join("code"), dir.path().join("vars"));
        let places = [(code.to_str().unwrap(), variables.to_str().unwrap())];
        std::fs::write(&code, b"").unwrap();
        assert_eq!(first_of(&places), None);
        std::fs::write(&variables, b"").unwrap();
        assert_eq!(
            first_of(&places),
            Some(Firmware {
                code: code.clone(),
                variables: variables.clone()
            })
        );
    }
}
