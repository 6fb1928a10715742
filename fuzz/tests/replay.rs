//! What fuzzing found stays found, and every target reaches its decoder.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use cairn_fuzz::{Target, mutate::mutate, targets};
use cairn_testkit::Rng;

/// Mutated inputs for each target and run.
const INPUTS: u64 = 2000;

fn kept(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("kept")
        .join(target.name)
}

#[test]
fn every_target_accepts_its_samples() {
    for target in targets() {
        let samples = (target.samples)();
        assert!(!samples.is_empty(), "{} has no sample", target.name);
        for (number, sample) in samples.iter().enumerate() {
            let accepted = (target.run)(sample);
            assert!(accepted, "{} refuses sample {number}", target.name);
        }
    }
}

#[test]
fn every_target_refuses_what_is_nothing() {
    for target in targets() {
        let accepted = (target.run)(&[0xff; 8]);
        assert!(!accepted, "{} accepts anything", target.name);
    }
}

#[test]
fn kept_inputs_do_no_harm() {
    for target in targets() {
        let Ok(files) = fs::read_dir(kept(&target)) else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            println!("{}", path.display());
            (target.run)(&fs::read(&path).unwrap());
        }
    }
}

#[test]
fn every_kept_input_is_of_a_target() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept");
    let names: Vec<_> = targets().iter().map(|target| target.name).collect();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_known = names.contains(&name.as_str());
        assert!(is_known || !entry.path().is_dir(), "no target {name}");
    }
}

/// The same inputs each time, so that this fails for whoever broke it and for nobody else.
#[test]
fn mutated_samples_do_no_harm() {
    let harmed: Vec<_> = targets().iter().filter_map(first_harm).collect();
    assert!(harmed.is_empty(), "{}", harmed.join("\n"));
}

/// The first mutated input that makes a target panic.
fn first_harm(target: &Target) -> Option<String> {
    let samples = (target.samples)();
    let mut rng = Rng::new(1);
    let mut inputs = (0..INPUTS).map(|number| (number, mutate(&mut rng, &samples)));
    let is_harmed = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err();
    let (number, input) = inputs.find(|(_, input)| is_harmed(input))?;
    let escaped = input.escape_ascii();
    Some(format!("{}, input {number}: {escaped}", target.name))
}
