//! The arrows between the rooms, as ARCHITECTURE.md draws them. The compiler keeps a crate from
//! using what it does not depend on; this test keeps a dependency from creeping in.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, path::Path};

/// A room and all that it may depend on, outside development.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("blocks", &[]),
    ("xts", &[]),
    ("volume", &["blocks", "xts"]),
    ("nbd", &[]),
    ("store", &["model", "blocks"]),
    ("vmm", &["model"]),
    (
        "control",
        &["model", "blocks", "volume", "nbd", "store", "vmm"],
    ),
    ("api", &["model", "control"]),
    (
        "cairn",
        &[
            "model", "blocks", "volume", "nbd", "store", "vmm", "control", "api",
        ],
    ),
    ("testkit", &["blocks"]),
];

fn manifest(room: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../crates")
            .join(room)
            .join("Cargo.toml"),
    )
    .unwrap()
}

/// The rooms named in `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let section = manifest
        .split("\n[dependencies]")
        .nth(1)
        .unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section
        .lines()
        .filter_map(|line| line.strip_prefix("cairn-"));
    names
        .map(|rest| {
            rest.split(['.', ' ', '='])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

#[test]
fn every_arrow_is_drawn() {
    for (room, allowed) in ARROWS {
        for used in dependencies(&manifest(room)) {
            assert!(
                allowed.contains(&used.as_str()),
                "{room} must not depend on {used}: see ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn every_room_is_listed() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let rooms: BTreeSet<_> = fs::read_dir(crates)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed: BTreeSet<_> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, listed);
}

#[test]
fn the_reader_of_manifests_reads_them() {
    let text = "[package]\n\n[dependencies]\ncairn-model.workspace = true\nserde = \"1\"\ncairn-blocks = { path = \"\" }\n\n[dev-dependencies]\ncairn-testkit.workspace = true\n";
    assert_eq!(
        dependencies(text),
        BTreeSet::from(["model".to_owned(), "blocks".to_owned()])
    );
}
