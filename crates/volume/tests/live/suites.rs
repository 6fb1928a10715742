//! The suites, as `plain` with volumes that have no key, and as `sealed` with volumes that have one.

mod crash_points;
mod failure;
mod fetching;
pub(crate) mod harness;
mod hostile;
mod model;
mod orders;
mod pace;
mod syncs;
mod threads;
mod witness;

/// Whether the volumes of this suite are sealed.
fn sealed() -> bool {
    module_path!().ends_with("sealed")
}
