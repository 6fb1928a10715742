//! An instance for tests, with one of everything.

use super::data::{
    BlockDevice, HttpTokens, InstanceMetadata, MetadataOptions, NetworkInterface, PublicKey,
};
use crate::spec::Architecture;

pub(crate) fn metadata() -> InstanceMetadata {
    let key = |name: &str| PublicKey {
        name: name.to_owned(),
        openssh_key: format!("ssh-ed25519 AAAA {name}"),
    };
    InstanceMetadata {
        instance_id: "i-0123456789abcdef0".to_owned(),
        image_id: "ami-0123456789abcdef0".to_owned(),
        ami_launch_index: 3,
        instance_type: "t3.small".to_owned(),
        architecture: Architecture::X86_64,
        reservation_id: "r-0123456789abcdef0".to_owned(),
        account_id: "123456789012".to_owned(),
        region: "eu-central-1".to_owned(),
        availability_zone: "eu-central-1a".to_owned(),
        availability_zone_id: "euc1-az2".to_owned(),
        pending_time: "2026-11-23T07:00:00Z".to_owned(),
        kernel_id: None,
        ramdisk_id: None,
        local_hostname: "ip-172-31-0-15.eu-central-1.compute.internal".to_owned(),
        services_domain: "amazonaws.com".to_owned(),
        partition: "aws".to_owned(),
        network: NetworkInterface {
            mac: "02:00:17:2a:00:0f".to_owned(),
            interface_id: "eni-0123456789abcdef0".to_owned(),
            private_ip: [172, 31, 0, 15].into(),
            subnet_id: "subnet-0123456789abcdef0".to_owned(),
            subnet_cidr: "172.31.0.0/20".to_owned(),
            vpc_id: "vpc-0123456789abcdef0".to_owned(),
            vpc_cidr: "172.31.0.0/16".to_owned(),
            security_groups: vec![
                ("sg-0000000000000000a".to_owned(), "default".to_owned()),
                ("sg-0000000000000000b".to_owned(), "web".to_owned()),
            ],
        },
        root_device_name: "/dev/xvda".to_owned(),
        block_devices: vec![
            BlockDevice {
                device_name: "/dev/sdb".to_owned(),
            },
            BlockDevice {
                device_name: "xvdc".to_owned(),
            },
        ],
        public_keys: vec![key("work laptop"), key("backup")],
        user_data: Some(vec![0, 0xff, b'\n']),
        tags: vec![
            ("Name".to_owned(), "web 1".to_owned()),
            ("env".to_owned(), "ü".to_owned()),
        ],
        options: MetadataOptions {
            http_endpoint_enabled: true,
            http_tokens: HttpTokens::Required,
            tags_enabled: true,
        },
    }
}
