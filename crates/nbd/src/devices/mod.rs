//! Devices for tests, benchmarks and examples. Cairn's own volumes are served by the crate `volume`.

mod file;
mod memory;

pub use file::FileDevice;
pub use memory::MemoryDevice;
