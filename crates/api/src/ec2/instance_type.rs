//! Instance types.

use cairn_control::request as verbs;
use cairn_model::instance_type::{InstanceType, VOLUMES_MAX};

use super::{
    Answered, Call, answer,
    common::{self, some},
};
use crate::generated::{request, response};

pub(super) async fn describe(call: &Call<'_>) -> Answered {
    let asked: request::DescribeInstanceTypesRequest = call.request()?;
    let common = common::describe(
        asked.filters,
        asked.max_results,
        asked.next_token,
        asked.dry_run,
    )?;
    let request = verbs::Describe {
        names: asked.instance_types,
        ..common
    };
    let found = call
        .control
        .describe_instance_types(call.caller, request)
        .await?;
    let instance_types = found.items.iter().map(show).collect();
    answer(response::DescribeInstanceTypesResult {
        instance_types,
        next_token: found.next_token,
    })
}

/// A type as EC2 shows it. What is the same for all of them is said once, here: volumes are all
/// that they have for storage, and every machine is virtual and has its host to share.
fn show(of: &InstanceType) -> response::InstanceTypeInfo {
    response::InstanceTypeInfo {
        instance_type: some(of.name),
        current_generation: Some(of.current_generation),
        free_tier_eligible: Some(of.free_tier_eligible),
        supported_usage_classes: vec!["on-demand".to_owned()],
        supported_root_device_types: vec!["ebs".to_owned()],
        supported_virtualization_types: vec!["hvm".to_owned()],
        bare_metal: Some(false),
        hypervisor: some(of.hypervisor.as_str()),
        processor_info: Some(processors(of)),
        v_cpu_info: Some(threads(of)),
        memory_info: Some(response::MemoryInfo {
            size_in_mib: Some(of.memory_mib.into()),
        }),
        instance_storage_supported: Some(false),
        ebs_info: Some(volumes(of)),
        network_info: Some(interfaces(of)),
        hibernation_supported: Some(false),
        burstable_performance_supported: Some(of.burstable),
        dedicated_hosts_supported: Some(false),
        auto_recovery_supported: Some(false),
        nitro_enclaves_support: some("unsupported"),
        nitro_tpm_support: some("unsupported"),
        reboot_migration_support: some("unsupported"),
        supported_boot_modes: of.boot_modes().iter().map(ToString::to_string).collect(),
    }
}

fn processors(of: &InstanceType) -> response::ProcessorInfo {
    response::ProcessorInfo {
        supported_architectures: of.architectures.iter().map(ToString::to_string).collect(),
        sustained_clock_speed_in_ghz: Some(of.clock_ghz),
    }
}

fn threads(of: &InstanceType) -> response::VCpuInfo {
    let threads_per_core = of.threads_per_core();
    response::VCpuInfo {
        default_v_cpus: Some(of.vcpus),
        default_cores: Some(of.cores),
        default_threads_per_core: Some(threads_per_core),
        valid_cores: vec![of.cores],
        valid_threads_per_core: vec![threads_per_core],
    }
}

fn volumes(of: &InstanceType) -> response::EbsInfo {
    response::EbsInfo {
        ebs_optimized_support: some(of.ebs_optimized_support()),
        encryption_support: some("supported"),
        nvme_support: some(of.nvme_support()),
        maximum_ebs_attachments: i32::try_from(VOLUMES_MAX).ok(),
        attachment_limit_type: some("dedicated"),
    }
}

fn interfaces(of: &InstanceType) -> response::NetworkInfo {
    response::NetworkInfo {
        network_performance: some(of.network_performance),
        maximum_network_interfaces: Some(of.network_interfaces),
        maximum_network_cards: Some(1),
        default_network_card_index: Some(0),
        ipv4_addresses_per_interface: Some(of.ipv4_per_interface),
        ipv6_addresses_per_interface: Some(0),
        ipv6_supported: Some(false),
        ena_support: some(of.ena_support()),
        efa_supported: Some(false),
        encryption_in_transit_supported: Some(false),
        ena_srd_supported: Some(false),
        flexible_ena_queues_support: some("unsupported"),
        network_cards: vec![response::NetworkCardInfo {
            network_card_index: Some(0),
            network_performance: some(of.network_performance),
            maximum_network_interfaces: Some(of.network_interfaces),
        }],
    }
}
