//! The paths of the metadata service, as a tree.
//!
//! Names, values and the order of listings are EC2's. A listing has one name a
//! line and no closing newline; a directory's name ends with a slash, except at
//! the top of a version, where EC2 leaves the slash out.

use serde_json::{Value, json};

use super::data::{InstanceMetadata, NetworkInterface, PublicKey};

/// The versions under which the tree is found. Every version gives the same
/// tree: programs ask for an old one in order to be understood, not to be told less.
pub(crate) const VERSIONS: &[&str] = &[
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "2022-07-09",
    "2022-09-24",
    "2024-04-11",
    "latest",
];

/// A directory or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Directory(Vec<Entry>),
    /// Text, or the bytes of the user data.
    Value(Vec<u8>),
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    name: String,
    /// How a listing shows it; keys are listed as `0=name` and found as `0`.
    label: String,
    node: Node,
}

/// What is found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Listing(String),
    Value(Vec<u8>),
    UserData(Vec<u8>),
}

/// Looks a path up. A directory is found with and without a closing slash, a
/// value only without.
pub(crate) fn look_up(metadata: &InstanceMetadata, path: &str) -> Option<Found> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    let Some(version) = names.next() else {
        return Some(Found::Listing(VERSIONS.join("\n")));
    };
    if !VERSIONS.contains(&version) {
        return None;
    }
    let names: Vec<&str> = names.collect();
    match find(&version_root(metadata), &names)? {
        Node::Directory(entries) => Some(Found::Listing(listing(&entries))),
        Node::Value(_) if path.ends_with('/') => None,
        Node::Value(value) if names == ["user-data"] => Some(Found::UserData(value)),
        Node::Value(value) => Some(Found::Value(value)),
    }
}

fn find(node: &Node, names: &[&str]) -> Option<Node> {
    let Some((first, rest)) = names.split_first() else {
        return Some(node.clone());
    };
    match node {
        Node::Directory(entries) => {
            let entry = entries.iter().find(|entry| entry.name == *first)?;
            find(&entry.node, rest)
        }
        Node::Value(_) => None,
    }
}

fn listing(entries: &[Entry]) -> String {
    let labels: Vec<&str> = entries.iter().map(|entry| entry.label.as_str()).collect();
    labels.join("\n")
}

fn version_root(metadata: &InstanceMetadata) -> Node {
    let mut entries = vec![
        plain("dynamic", dynamic(metadata)),
        plain("meta-data", meta_data(metadata)),
    ];
    if let Some(user_data) = &metadata.user_data {
        entries.push(plain("user-data", Node::Value(user_data.clone())));
    }
    Node::Directory(entries)
}

fn dynamic(metadata: &InstanceMetadata) -> Node {
    let document = value("document", identity_document(metadata));
    Node::Directory(vec![directory("instance-identity", vec![document])])
}

fn meta_data(metadata: &InstanceMetadata) -> Node {
    let groups = names_of_groups(&metadata.network);
    let mut entries = vec![
        value("ami-id", &metadata.image_id),
        value("ami-launch-index", metadata.ami_launch_index.to_string()),
        value("ami-manifest-path", "(unknown)"),
        directory("block-device-mapping", block_device_mapping(metadata)),
        directory("events", events()),
        value("hostname", &metadata.local_hostname),
        value("instance-action", "none"),
        value("instance-id", &metadata.instance_id),
        value("instance-life-cycle", "on-demand"),
        value("instance-type", &metadata.instance_type),
        value("local-hostname", &metadata.local_hostname),
        value("local-ipv4", metadata.network.private_ip.to_string()),
        value("mac", &metadata.network.mac),
        directory("network", network(metadata)),
        directory("placement", placement(metadata)),
        value("profile", "default-hvm"),
        value("reservation-id", &metadata.reservation_id),
        value("security-groups", groups),
        directory("services", services(metadata)),
    ];
    entries.extend(metadata.kernel_id.as_ref().map(|id| value("kernel-id", id)));
    entries.extend(
        metadata
            .ramdisk_id
            .as_ref()
            .map(|id| value("ramdisk-id", id)),
    );
    if !metadata.public_keys.is_empty() {
        entries.push(directory("public-keys", public_keys(&metadata.public_keys)));
    }
    if metadata.options.tags_enabled {
        entries.push(directory(
            "tags",
            vec![directory("instance", tags(metadata))],
        ));
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Node::Directory(entries)
}

/// `ami` and `root` name the root device; the other volumes follow without `/dev/`.
fn block_device_mapping(metadata: &InstanceMetadata) -> Vec<Entry> {
    let root = &metadata.root_device_name;
    let mut entries = vec![value("ami", root)];
    entries.extend(
        metadata
            .block_devices
            .iter()
            .enumerate()
            .map(|(index, device)| {
                let name = &device.device_name;
                let short = name.strip_prefix("/dev/").unwrap_or(name);
                value(&format!("ebs{}", index + 1), short)
            }),
    );
    entries.push(value("root", root));
    entries
}

fn events() -> Vec<Entry> {
    vec![directory(
        "maintenance",
        vec![value("history", "[]"), value("scheduled", "[]")],
    )]
}

fn network(metadata: &InstanceMetadata) -> Vec<Entry> {
    let interface = directory(&metadata.network.mac, interface(metadata));
    vec![directory(
        "interfaces",
        vec![directory("macs", vec![interface])],
    )]
}

fn interface(metadata: &InstanceMetadata) -> Vec<Entry> {
    let network = &metadata.network;
    let ids: Vec<&str> = network
        .security_groups
        .iter()
        .map(|(id, _)| id.as_str())
        .collect();
    vec![
        value("device-number", "0"),
        value("interface-id", &network.interface_id),
        value("local-hostname", &metadata.local_hostname),
        value("local-ipv4s", network.private_ip.to_string()),
        value("mac", &network.mac),
        value("network-card", "0"),
        value("owner-id", &metadata.account_id),
        value("security-group-ids", ids.join("\n")),
        value("security-groups", names_of_groups(network)),
        value("subnet-id", &network.subnet_id),
        value("subnet-ipv4-cidr-block", &network.subnet_cidr),
        value("vpc-id", &network.vpc_id),
        value("vpc-ipv4-cidr-block", &network.vpc_cidr),
        value("vpc-ipv4-cidr-blocks", &network.vpc_cidr),
    ]
}

fn names_of_groups(network: &NetworkInterface) -> String {
    let names: Vec<&str> = network
        .security_groups
        .iter()
        .map(|(_, name)| name.as_str())
        .collect();
    names.join("\n")
}

fn placement(metadata: &InstanceMetadata) -> Vec<Entry> {
    vec![
        value("availability-zone", &metadata.availability_zone),
        value("availability-zone-id", &metadata.availability_zone_id),
        value("region", &metadata.region),
    ]
}

fn services(metadata: &InstanceMetadata) -> Vec<Entry> {
    vec![
        value("domain", &metadata.services_domain),
        value("partition", &metadata.partition),
    ]
}

/// The one directory whose listing does not show the names that its entries are found by.
fn public_keys(keys: &[PublicKey]) -> Vec<Entry> {
    let entry = |(index, key): (usize, &PublicKey)| Entry {
        name: index.to_string(),
        label: format!("{index}={}", key.name),
        node: Node::Directory(vec![value("openssh-key", &key.openssh_key)]),
    };
    keys.iter().enumerate().map(entry).collect()
}

fn tags(metadata: &InstanceMetadata) -> Vec<Entry> {
    let mut entries: Vec<Entry> = metadata
        .tags
        .iter()
        .map(|(key, text)| value(key, text))
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

/// Returns the instance identity document: these keys, in this order, and a
/// space before each colon, as EC2 writes it.
fn identity_document(metadata: &InstanceMetadata) -> String {
    let members = [
        ("accountId", json!(metadata.account_id)),
        ("architecture", json!(metadata.architecture)),
        ("availabilityZone", json!(metadata.availability_zone)),
        ("billingProducts", Value::Null),
        ("devpayProductCodes", Value::Null),
        ("marketplaceProductCodes", Value::Null),
        ("imageId", json!(metadata.image_id)),
        ("instanceId", json!(metadata.instance_id)),
        ("instanceType", json!(metadata.instance_type)),
        ("kernelId", json!(metadata.kernel_id)),
        ("pendingTime", json!(metadata.pending_time)),
        ("privateIp", json!(metadata.network.private_ip)),
        ("ramdiskId", json!(metadata.ramdisk_id)),
        ("region", json!(metadata.region)),
        ("version", json!("2017-09-30")),
    ];
    let lines: Vec<String> = members
        .iter()
        .map(|(key, value)| format!("  \"{key}\" : {value}"))
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// An entry whose listing shows it without a slash whatever it is.
fn plain(name: &str, node: Node) -> Entry {
    Entry {
        name: name.to_owned(),
        label: name.to_owned(),
        node,
    }
}

fn value(name: &str, value: impl AsRef<str>) -> Entry {
    plain(name, Node::Value(value.as_ref().as_bytes().to_vec()))
}

fn directory(name: &str, entries: Vec<Entry>) -> Entry {
    let label = format!("{name}/");
    Entry {
        name: name.to_owned(),
        label,
        node: Node::Directory(entries),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
