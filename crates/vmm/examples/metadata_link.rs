//! The metadata link as a program of its own, for the tests: `metadata_link SOCKET`.

use std::path::Path;
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let socket = std::env::args_os().nth(1).unwrap_or_default();
    cairn_vmm::metadata::link(Path::new(&socket), Duration::from_secs(60))
}
