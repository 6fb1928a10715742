//! libFuzzer over the target that `CAIRN_FUZZ_TARGET` names. `scripts/fuzz` builds and runs it.
//!
//! The macro exports a C function, which is why `unsafe_code` is not forbidden here as elsewhere.
#![no_main]

use std::{env, fs, path::Path, sync::OnceLock};

use cairn_fuzz::{Target, target};

static TARGET: OnceLock<Target> = OnceLock::new();

/// Finds the target, and writes its samples into the directory `CAIRN_FUZZ_SAMPLES`.
fn set_up() {
    let name = env::var("CAIRN_FUZZ_TARGET").expect("CAIRN_FUZZ_TARGET names a target");
    let target = target(&name).expect("a target of this name");
    if let Some(dir) = env::var_os("CAIRN_FUZZ_SAMPLES") {
        for (number, sample) in (target.samples)().iter().enumerate() {
            let path = Path::new(&dir).join(format!("sample-{number}"));
            fs::write(path, sample).expect("room for a sample");
        }
    }
    assert!(TARGET.set(target).is_ok(), "set up twice");
}

libfuzzer_sys::fuzz_target!(init: set_up(), |bytes: &[u8]| {
    let target = TARGET.get().expect("set up before");
    (target.run)(bytes);
});
