//! The schema's history: commented SQL, embedded in the binary.
//!
//! Numbers 01xx belong to storage, jobs and accounts, 02xx to images, instances and the network. A
//! migration that has been released is never edited.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

macro_rules! migrations {
    ($($version:literal $name:literal;)*) => {
        vec![$(migration(
            $version,
            $name,
            include_str!(concat!("../migrations/sqlite/", $version, "_", $name, ".sql")),
        )),*]
    };
}

/// Of `cairn.db`.
pub(crate) fn metadata() -> Migrator {
    Migrator::with_migrations(migrations! {
        "0100" "accounts";
        "0101" "jobs";
        "0102" "volumes";
        "0103" "snapshots";
        "0104" "snapshot_records";
        "0105" "scrubs";
        "0106" "keys";
        "0107" "sharing";
        "0110" "recycle_bin";
        "0111" "archives";
        "0112" "fast_restores";
        "0120" "replace_root_tasks";
        "0130" "key_aliases";
        "0131" "key_grants";
        "0200" "images";
        "0201" "networks";
        "0202" "key_pairs";
        "0203" "instances";
        "0206" "boot_sets";
        "0210" "image_usage_reports";
    })
}

/// Of `blobs.db`.
pub(crate) fn blobs() -> Migrator {
    Migrator::with_migrations(migrations! {
        "0001" "blobs";
        "0002" "collection";
        "0003" "forgotten_packs";
    })
}

fn migration(version: &'static str, name: &'static str, sql: &'static str) -> Migration {
    // Versions are literals of four digits: see the two lists above.
    let version = version
        .bytes()
        .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Migration::new(
        version,
        name.into(),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}
