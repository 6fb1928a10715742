//! Serves one volume of a server of its own over NBD, as a machine gets it: what `bench/nbd.py`
//! compares with other NBD servers. Runs until its standard input ends or it is killed.
//!
//! `cargo run --release -p cairn-control --example volume_nbd -- DIRECTORY SOCKET SIZE_GIB [encrypted]`

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::{
    env,
    error::Error,
    io::{self, Read as _},
    os::unix::fs::symlink,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use cairn_control::{Caller, Control, ControlOptions, request::CreateVolume};
use cairn_model::{Clock, Entropy, Region, Timestamp};

#[derive(Debug)]
struct RealClock;

impl Clock for RealClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Ids of a benchmark need not be secret.
#[derive(Debug)]
struct Urandom;

impl Entropy for Urandom {
    fn fill(&self, bytes: &mut [u8]) {
        let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(bytes));
        read.unwrap_or_else(|cause| panic!("read /dev/urandom: {cause}"));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let (arguments, encrypted) = match arguments.split_last() {
        Some((last, rest)) if last == "encrypted" => (rest, true),
        _ => (arguments.as_slice(), false),
    };
    let [directory, socket, size] = arguments else {
        return Err("give DIRECTORY SOCKET SIZE_GIB [encrypted]".into());
    };
    let size_gib = size
        .to_str()
        .and_then(|text| text.parse().ok())
        .ok_or("SIZE_GIB is a number")?;
    let options = ControlOptions::new(
        PathBuf::from(directory),
        Arc::new(RealClock),
        Arc::new(Urandom),
    )?;
    let control = Control::open(options).await?;
    let exported = export_new_volume(&control, size_gib, encrypted).await?;
    symlink(exported, socket)?;
    println!("ready");
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    control.shutdown().await;
    Ok(())
}

/// Makes a volume by the verb that clients use, and offers it as to a machine.
async fn export_new_volume(
    control: &Control,
    size_gib: i32,
    encrypted: bool,
) -> Result<PathBuf, Box<dyn Error>> {
    let account = control.create_account(None).await?;
    let region = Region::named("us-east-1").ok_or("us-east-1 is a region")?;
    let caller = Caller {
        account: account.account,
        access_key_id: account.access_key_id,
        region,
        operator: true,
        memberships: Vec::new(),
    };
    let request = CreateVolume {
        availability_zone: Some("us-east-1a".to_owned()),
        size: Some(size_gib),
        encrypted: Some(encrypted),
        ..CreateVolume::default()
    };
    let volume = control.create_volume(&caller, request).await?;
    control.idle().await?;
    Ok(control.export_volume(&volume.id).await?)
}
