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
        "0140" "facets";
        "0200" "images";
        "0201" "networks";
        "0202" "key_pairs";
        "0203" "instances";
        "0206" "boot_sets";
        "0210" "image_usage_reports";
        "0220" "security_group_rules";
        "0221" "vpc_parts";
        "0222" "network_interfaces";
        "0223" "launch_templates";
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

#[cfg(test)]
mod tests {
    use cairn_model::{AccountId, Region};
    use sqlx::{Connection as _, SqliteConnection};

    use super::*;
    use crate::{security_group, vpc_part};

    /// The network as a server before this one left it.
    const BEFORE: &str = "
        INSERT INTO vpc VALUES ('vpc-0aaaaaaaaaaaaaaaa', '123456789012', 'us-east-1', 1, '{}');
        INSERT INTO subnet VALUES ('subnet-0aaaaaaaaaaaaaaaa', '123456789012', 'us-east-1', 'vpc-0aaaaaaaaaaaaaaaa', 1, '{}');
        INSERT INTO security_group VALUES ('sg-0bbbbbbbbbbbbbbbb', '123456789012', 'us-east-1', 'vpc-0aaaaaaaaaaaaaaaa', 'default', 1, '{}');";

    #[tokio::test]
    async fn a_network_of_before_gets_its_rules_and_parts() {
        let mut conn = SqliteConnection::connect("sqlite::memory:")
            .await
            .expect("a database");
        let all = metadata();
        all.run_to(219, &mut conn).await.expect("the old schema");
        sqlx::raw_sql(BEFORE)
            .execute(&mut conn)
            .await
            .expect("rows");
        all.run(&mut conn).await.expect("the new schema");
        let account: AccountId = "123456789012".parse().expect("an account");
        let region = Region::named("us-east-1").expect("a region");
        let rules = security_group::list_rules(&mut conn, &account, region)
            .await
            .expect("rules");
        assert_eq!(rules.len(), 2);
        for rule in &rules {
            let found = security_group::get_rule(&mut conn, &rule.id).await;
            assert_eq!(found.expect("a rule").as_ref(), Some(rule));
        }
        let parts = vpc_part::list(&mut conn, &account, region)
            .await
            .expect("parts");
        assert_eq!(parts.len(), 4);
        for part in &parts {
            let found = vpc_part::get(&mut conn, part.kind, &part.id).await;
            assert_eq!(found.expect("a part").as_ref(), Some(part));
        }
    }
}
