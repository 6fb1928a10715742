//! Words of the command line that the inspection of files uses.

/// Disk file formats, as in `crates/cairn/src/cli.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Raw,
    Qcow2,
    Vmdk,
    Vpc,
    Vhdx,
}

/// For messages alone.
pub(crate) fn spelling(format: Format) -> String {
    format!("{format:?}")
}
