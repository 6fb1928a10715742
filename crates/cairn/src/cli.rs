//! What can be typed, with its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What `cairn --help` ends with. The exit codes are those of [`crate::failure::Failure`].
const AFTER_HELP: &str = "\
A first session:
  cairn serve                     (goes on until Ctrl-C; the rest is for another terminal)
  eval \"$(cairn env)\"
  cairn import debian-12.qcow2 --name debian-12
  aws ec2 run-instances --image-id ami-... --instance-type t3.small

How commands find the server:
  1. --data DIR or CAIRN_DATA: the server that runs on DIR leaves its address and keys there.
  2. AWS_ENDPOINT_URL, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.
  3. The default data directory: $XDG_DATA_HOME/cairn, or ~/.local/share/cairn.
The region is --region, else AWS_REGION, else AWS_DEFAULT_REGION, else the one that the server on
the data directory was given, else us-east-1.

Exit codes:
    0  done
    1  failed; the message says why
    2  wrong usage or settings
    3  no such resource
    4  a snapshot did not verify
    5  no server answers
    6  another server has the data directory
    7  the disk file was refused: bad, truncated or hostile
  130  interrupted
`cairn ssh` ends with the exit code of ssh: that of the command it ran, or 255.";

/// The heading of what every command takes.
const COMMON: &str = "Common options";

/// AMIs and EBS snapshots on your own machine
///
/// One binary that keeps real disk bytes, boots images as real machines, and answers the AWS
/// clients that you already use.
#[derive(Debug, Parser)]
#[command(
    name = "cairn",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_long_help = AFTER_HELP
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// The server's data directory [default: $XDG_DATA_HOME/cairn or ~/.local/share/cairn]
    #[arg(long, value_name = "DIR", env = "CAIRN_DATA", global = true, help_heading = COMMON)]
    pub(crate) data: Option<PathBuf>,
    /// How results are printed on standard output; messages go to standard error
    #[arg(long, value_enum, default_value_t, env = "CAIRN_OUTPUT", global = true, help_heading = COMMON)]
    pub(crate) output: Output,
    /// What is logged to standard error: a level, or filters such as `cairn_control=debug,info`
    #[arg(long, value_name = "FILTER", env = "CAIRN_LOG", global = true, help_heading = COMMON)]
    pub(crate) log: Option<String>,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object on one line, for scripts
    Json,
}

/// A comment on a variant would take the place of the whole description that its arguments carry, so
/// those that have some carry none here.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
    Env(Env),
    /// Manage accounts
    ///
    /// An account is what an access key belongs to; accounts see nothing of one another.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Manage the keys of encrypted volumes and snapshots
    ///
    /// What is encrypted is kept under a key of its account and region. Deleting the key erases it.
    #[command(subcommand)]
    Key(KeyCommand),
    Import(Import),
    Verify(Verify),
    Scrub(Scrub),
    Recover(Recover),
    Gc(Gc),
    Du(Du),
    Status(Status),
    Ssh(Ssh),
    Completions(Completions),
    /// Connect standard input and output to an instance's metadata service
    #[command(hide = true)]
    MetadataLink {
        /// The service's socket
        socket: PathBuf,
    },
}

/// Run the server
///
/// Everything is kept in the data directory. A new one gets an account with an access key, which
/// is printed once and kept in DIR/credentials. The server stops on SIGTERM or Ctrl-C; machines
/// go on running, and the next server on the same directory takes them over.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn serve
  cairn serve --data /srv/cairn --listen 127.0.0.1:9000

Settings come from flags, else from the environment (CAIRN_LISTEN and so on, shown above), else
from DIR/config.toml, whose keys are the names of the flags:
  listen = \"127.0.0.1:9000\"
  region = \"eu-central-1\"
  accelerator = \"tcg\"
  [cache]
  file_mib = 1024       # decoded blocks on disk, in each region in use, where there is space; 0: none
  [volumes]
  enforce_limits = true # hold volumes to the IOPS and throughput of their types; false unless set
  [instances]
  shutdown_seconds = 30 # how long a guest may take to shut down before it is ended; 120 unless set
The schedules of scrubs and of garbage collection are described in `cairn scrub --help` and
`cairn gc --help`.")]
pub(crate) struct Serve {
    /// The address to listen on [default: 127.0.0.1:8773]
    ///
    /// The server speaks plain HTTP: name an address that others can reach only where the network
    /// is your own. Port 0 takes a free port; DIR/endpoint says which.
    #[arg(long, value_name = "ADDR", env = "CAIRN_LISTEN")]
    pub(crate) listen: Option<String>,
    /// The region that `cairn env` and the printed lines name [default: us-east-1]
    ///
    /// Every region is served; a request's signature says which one it is for.
    #[arg(long, env = "CAIRN_REGION")]
    pub(crate) region: Option<String>,
    /// What runs the machines' processors; `auto` uses KVM only where a probe really runs under it [default: auto]
    #[arg(long, value_enum, env = "CAIRN_ACCELERATOR")]
    pub(crate) accelerator: Option<AcceleratorChoice>,
    /// What guests may reach besides their metadata service [default: isolated]
    ///
    /// `open` is for guests that you trust like a program of your own: QEMU's user network lets
    /// them reach whatever this user can, the services on this machine's own loopback interface
    /// included, and has no way to leave those out.
    #[arg(long, value_enum, env = "CAIRN_EGRESS")]
    pub(crate) egress: Option<EgressChoice>,
}

/// What guests may reach besides their metadata service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EgressChoice {
    /// Nothing; SSH comes in through a forwarded port
    Isolated,
    /// Whatever this user can reach, this machine's own services included
    Open,
}

/// What runs the machines' processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AcceleratorChoice {
    /// KVM where it works, else TCG
    Auto,
    /// The kernel's virtual machines
    Kvm,
    /// Emulation, which works everywhere
    Tcg,
}

/// Print what makes the AWS clients talk to the server, for `eval`
///
/// One line that exports the server's address, the keys of its first account and the region. Where
/// no server answers it prints nothing, says so on standard error, and ends with 5.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  eval \"$(cairn env)\"
  aws ec2 describe-images --owners self

AWS_DEFAULT_REGION is exported beside AWS_REGION, because the AWS CLI of version 1 and boto3 read only that.")]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// The region of a client command.
#[derive(Args, Clone, Debug)]
pub(crate) struct RegionArg {
    /// The region [default: AWS_REGION, AWS_DEFAULT_REGION or the server's]
    #[arg(long)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    Create(AccountCreate),
    Membership(AccountMembership),
}

/// Create an account with an access key
///
/// Accounts see nothing of one another. The new one has its default VPC in every region. Its
/// secret key is printed here and never again. Only the server's first account may do this.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn account create --name backup
  cairn account create --output json | jq -r .AccessKeyId")]
pub(crate) struct AccountCreate {
    /// A name for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// ARN of the organization that it belongs to
    #[arg(long, value_name = "ARN")]
    pub(crate) organization: Option<String>,
    /// ARN of an organizational unit that it belongs to; may be given several times
    #[arg(long = "unit", value_name = "ARN")]
    pub(crate) units: Vec<String>,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Set the organization and the organizational units that an account belongs to
///
/// They take the place of all that were set before; without any, the account belongs to none. An
/// image that is shared with an organization or unit is shared with the accounts that belong to it.
/// Only the server's first account may do this.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn account membership 123456789012 --organization arn:aws:organizations::111111111111:organization/o-abcdefghij
  cairn account membership 123456789012")]
pub(crate) struct AccountMembership {
    /// The account's number
    pub(crate) account: String,
    /// ARN of the organization
    #[arg(long, value_name = "ARN")]
    pub(crate) organization: Option<String>,
    /// ARN of an organizational unit; may be given several times
    #[arg(long = "unit", value_name = "ARN")]
    pub(crate) units: Vec<String>,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    Create(KeyCreate),
    List(KeyList),
    Delete(KeyDelete),
}

/// Make a key
///
/// Name it where a volume, a launch or an import is asked to be encrypted: `--kms-key-id KEY`. Where
/// none is named, the key behind alias/aws/ebs is used, which is made by itself.
///
/// What a key encrypts with lies in DIR/keys, wrapped under the root key in DIR/root-key. Keep a
/// copy of both apart from the data, or a lost disk takes them along.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn key create --description backups
  aws ec2 create-volume --size 8 --availability-zone us-east-1a --encrypted --kms-key-id KEY

The root key can lie elsewhere, for instance on a medium that is taken out; in DIR/config.toml:
  [keys]
  root_key = \"/run/keys/cairn-root-key\"
It is 64 hexadecimal digits in a file that only its owner may read (mode 0600).")]
pub(crate) struct KeyCreate {
    /// A description for people
    #[arg(long)]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// List the keys, also those that were deleted
///
/// Those of the caller's account in the region: id, state, when it was made, and what it is for.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn key list
  cairn key list --output json | jq -r '.Keys[].Arn'")]
pub(crate) struct KeyList {
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Delete a key, and with it all that is kept under it
///
/// The key cannot be used from now on, and is erased in 7 to 30 days: every volume and snapshot under it is
/// unreadable from then on, for everyone and for good, which is what it is for. They stay on the lists until
/// they are deleted; garbage collection frees their space. Until the day comes, the deletion can be
/// cancelled; volumes that are attached keep working until they are detached.
///
/// With --now the key is erased at once. Only the server's first account may do this; volumes have to be
/// detached first.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn key delete 0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9 --days 7
  aws kms cancel-key-deletion --key-id 0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9
  cairn key delete 0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9 --now --erase-everything-under-it")]
pub(crate) struct KeyDelete {
    /// The key: its id or its ARN; with --now, alias/aws/ebs as well
    pub(crate) key: String,
    /// Days until the key is erased: 7 to 30 [default: 30]
    #[arg(long, value_parser = clap::value_parser!(i32).range(7..=30), conflicts_with = "now")]
    pub(crate) days: Option<i32>,
    /// Erase the key at once
    #[arg(long)]
    pub(crate) now: bool,
    /// Confirm that everything under the key is to be lost at once
    #[arg(long, requires = "now")]
    pub(crate) erase_everything_under_it: bool,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Make a snapshot and an AMI from a disk file
///
/// The file's blocks travel to the server as an EBS direct upload; holes and zeros do not. The
/// size is rounded up to whole GiB. If anything fails, nothing stays behind.
///
/// Images that refer to other files (backing files, external data files, extents of their own)
/// and encrypted images are refused.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn import debian-12-generic-amd64.qcow2 --name debian-12
  cairn import appliance.vmdk --name appliance --boot-mode uefi
  cairn import data.raw --snapshot-only --encrypted
  cairn import data.raw --snapshot-only --output json | jq -r .SnapshotId

Without --format, the format is read from the file itself. Name it where the file's contents come
from somebody you do not trust: a raw disk can be made to look like something else.
Formats other than raw need `qemu-img`, and room for the unpacked disk below --temp-dir.")]
pub(crate) struct Import {
    /// The disk file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The name of the AMI, unique in account and region
    #[arg(long, required_unless_present = "snapshot_only")]
    pub(crate) name: Option<String>,
    /// Stop at the snapshot; register no AMI
    #[arg(long, conflicts_with_all = ["name", "architecture", "boot_mode", "root_device_name"])]
    pub(crate) snapshot_only: bool,
    /// The processor that the disk's system is for
    #[arg(long, value_enum, default_value_t)]
    pub(crate) architecture: Architecture,
    /// The file's format
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// How the disk boots; without it `uefi` where nothing else can boot the disk, else the instance type decides
    #[arg(long, value_enum)]
    pub(crate) boot_mode: Option<BootMode>,
    /// A description for the snapshot and the AMI
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// Keep the snapshot encrypted
    #[arg(long)]
    pub(crate) encrypted: bool,
    /// The ARN of the key to encrypt it under, see `cairn key list` [default: the one behind alias/aws/ebs]
    #[arg(long, value_name = "ARN", requires = "encrypted")]
    pub(crate) kms_key_arn: Option<String>,
    /// The device name of the root volume
    #[arg(long, default_value = "/dev/xvda")]
    pub(crate) root_device_name: String,
    /// How many blocks travel at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) parallel: u8,
    /// Where formats other than raw are unpacked [default: TMPDIR or /tmp]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Processors, as EC2 spells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    #[value(name = "i386")]
    I386,
    #[default]
    #[value(name = "x86_64")]
    X86_64,
    #[value(name = "arm64")]
    Arm64,
}

/// Disk file formats, as `qemu-img` spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The disk's bytes as they are
    Raw,
    /// QEMU's copy-on-write format
    Qcow2,
    /// VMware, in one file
    Vmdk,
    /// Microsoft's VHD
    Vpc,
    /// Microsoft's VHDX
    Vhdx,
}

/// Firmware, as EC2 spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BootMode {
    LegacyBios,
    Uefi,
    UefiPreferred,
}

/// Read every block of a snapshot and check it against the snapshot's digest
///
/// The server reads each block back from its store, recomputes the Merkle root and compares it
/// with the digest that it noted and signed when the snapshot was completed. Bad blocks are
/// listed, and the exit code is 4.
///
/// With --offline no server is asked: a raw disk file or block device that holds a snapshot's
/// bytes is checked against an attestation that was exported before. Its size has to be the
/// signed one to the byte. Without --public-key it is only known that the attestation was not
/// changed since it was signed, by whoever has the key that it names.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn verify snap-0123456789abcdef0
  cairn verify snap-0123456789abcdef0 --output json | jq -r .Digest
  cairn verify snap-0123456789abcdef0 --export snap.attestation
  cairn status --output json | jq -r .PublicKey > cairn.pub
  cairn verify --offline disk.raw --attestation snap.attestation --public-key cairn.pub

The public key is also in DIR/signing-key.pub, and `openssl pkey -pubin` reads it. Get it from the
server by a way that you trust; it does not change as long as DIR/signing-key.pem is kept.")]
pub(crate) struct Verify {
    /// The snapshot
    #[arg(value_name = "SNAPSHOT", required_unless_present = "offline")]
    pub(crate) snapshot: Option<String>,
    /// Write the signed digest to a file, if the snapshot verifies
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    /// Check a raw disk file or a block device, without a server
    #[arg(long, value_name = "IMAGE", requires = "attestation", conflicts_with_all = ["snapshot", "export", "region"])]
    pub(crate) offline: Option<PathBuf>,
    /// The attestation to check it against
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub(crate) attestation: Option<PathBuf>,
    /// The public key that has to have signed it: PEM, or the line that `cairn status` shows
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub(crate) public_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Read all packs of a region, and tell of every byte that is not what was written
///
/// The server reads its packs from the device and checks every byte: blobs against their hashes,
/// and headers, tables and checksums that no reader ever looks at. What cannot be read is marked
/// bad and the snapshots, images and volumes are named that need it; it is healed when a snapshot
/// or an upload brings the same block again. The other findings harm no reader, but a disk that
/// changes bytes should be replaced, and `cairn recover` relies on these bytes.
///
/// The server does this by itself, once a week unless config.toml says otherwise. Only its first
/// account may ask. The exit code is 4 if there are findings that are not healed.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn scrub
  cairn scrub --region eu-west-1 --rate 20
  cairn scrub --status --output json | jq -r '.Snapshots[].SnapshotId'

In DIR/config.toml:
  [scrub]
  interval_days = 7     # 0: only when asked for
  mib_per_second = 50   # 0: as fast as it goes")]
pub(crate) struct Scrub {
    /// Only show what was found, and how far a run under way is
    #[arg(long)]
    pub(crate) status: bool,
    /// How fast to read, in MiB per second; 0 is as fast as it goes [default: the server's]
    #[arg(long, value_name = "MIB", conflicts_with = "status")]
    pub(crate) rate: Option<u32>,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Collect garbage: give the disk back what no snapshot, volume or upload needs
///
/// The server does this by itself (see below); this command does it now, in all regions. It marks
/// what is needed. Packs with nothing in them that is needed are condemned, and deleted by a pass
/// that comes after their grace, and finds nothing again. Packs with little in them that is needed
/// are copied first. Nothing is condemned or deleted by a pass that cannot read everything that is
/// needed. Only the server's first account may do this.
///
/// If a blob is read that lies in a condemned pack, then something was taken for garbage and is
/// none: the pack lives again, and collection is halted until --resume. `cairn status` shows it.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn gc
  cairn gc --dry-run
  cairn gc --dry-run --if-deleted snap-0123456789abcdef0 snap-0fedcba9876543210
  cairn gc --dry-run --output json | jq '.Regions[].Condemned.Bytes'
  cairn gc --resume

The schedule is in DIR/config.toml; these are the defaults:
  [collection]
  enabled = true             # false: only by this command
  interval_seconds = 3600    # from the end of a pass to the next one
  grace_seconds = 3600       # how long a pack stays condemned
  repack_below_percent = 50  # copy packs of which less is needed; 0: never")]
pub(crate) struct Gc {
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also say how many bytes deleting these snapshots would free, all of them together
    #[arg(long, value_name = "SNAPSHOT", num_args = 1.., requires = "dry_run")]
    pub(crate) if_deleted: Vec<String>,
    /// Go on after an alarm
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) resume: bool,
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Rebuild metadata that was lost from packs and records; no server may run
///
/// Where cairn.db or blobs.db is missing or empty, it is rebuilt: the index of blobs from the
/// packs, accounts and completed snapshots from the records beside them. Every snapshot has its
/// id, owner, description, tags, digest and signature again, and every byte that its packs hold.
///
/// Access keys cannot come back: each account gets a new one, which is printed here and never
/// again; that of the first account is kept in DIR/credentials. Neither can images, volumes,
/// instances, key pairs and accounts that had no snapshot: register images anew from their
/// snapshots. Files of volumes stay where they are and are listed.
///
/// Files that are there are not touched without --force, which moves them aside. The exit code is
/// 4 if a snapshot cannot be read in full, or a record or a pack not at all.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn recover --data /srv/cairn
  cairn recover --data /srv/cairn --force --output json | jq .Accounts")]
pub(crate) struct Recover {
    /// Rebuild files that are there, too; they are kept as NAME.before-recovery-N
    #[arg(long)]
    pub(crate) force: bool,
}

/// Show what snapshots, images and the account cost on disk
///
/// All figures are exact, and in bytes:
///
///   LOGICAL  the blocks of a snapshot that are not zeros, before compression, each one as often
///            as it occurs
///   STORED   what these blocks and their index take on disk: compressed, each one once
///   UNIQUE   the part of STORED that no other snapshot needs
///   SHARED   the part of STORED that other snapshots need too
///   FREED    what a garbage collection gives back once it is deleted: the part of UNIQUE that
///            nothing else needs either, neither a volume, nor an upload, nor work under way
///
/// An image is all its snapshots together. The account is its snapshots, volumes and uploads in the
/// region; UNIQUE and FREED are then what no other account needs.
#[derive(Args, Debug)]
#[command(
    verbatim_doc_comment,
    after_long_help = "\
Examples:
  cairn du
  cairn du --region eu-west-1
  cairn du --output json | jq '.Snapshots | sort_by(.FreedIfDeletedBytes) | last'"
)]
pub(crate) struct Du {
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Show the server: version, accelerator, regions, scrubs, collection
///
/// The accelerator is what runs the instances' processors: `kvm`, or `tcg` where KVM is not there or
/// does not work; the reason is given beside it. Ends with 5 where no server answers, so that a
/// script can wait for one.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn status
  until cairn status >/dev/null 2>&1; do sleep 0.2; done
  cairn status --output json | jq -r .Accelerator")]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) region: RegionArg,
}

/// Log in to an instance, or run a command there
///
/// Runs `ssh` to the port of this machine that leads to the instance. Host keys are not checked:
/// the connection never leaves this machine, and every instance has keys of its own.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  cairn ssh i-0123456789abcdef0
  cairn ssh admin@i-0123456789abcdef0 -i key.pem -- uname -a
  cairn ssh i-0123456789abcdef0 --print")]
pub(crate) struct Ssh {
    /// The instance, with the user to log in as unless that is root
    #[arg(value_name = "[USER@]INSTANCE")]
    pub(crate) target: String,
    /// The private key
    #[arg(short, long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// Only print the address and port
    #[arg(long)]
    pub(crate) print: bool,
    #[command(flatten)]
    pub(crate) region: RegionArg,
    /// The command to run there
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Print shell completions
///
/// The script goes where the shell looks for it, and works in the shells that are started next.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  mkdir -p ~/.local/share/bash-completion/completions ~/.config/fish/completions
  cairn completions bash > ~/.local/share/bash-completion/completions/cairn
  cairn completions zsh > \"${fpath[1]}/_cairn\"
  cairn completions fish > ~/.config/fish/completions/cairn.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// The spelling of a value on the command line, which is AWS's and QEMU's too.
pub(crate) fn spelling(value: impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, error::ErrorKind};

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_visible_command_explains_itself_and_teaches_by_example() {
        fn check(command: &clap::Command) {
            for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
                check(sub);
                let simple = sub.has_subcommands() || sub.get_name() == "help";
                let help = sub
                    .get_after_long_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                assert!(
                    simple || help.contains("Examples:"),
                    "{} has no examples",
                    sub.get_name()
                );
                assert!(
                    sub.get_name() == "help" || sub.get_long_about().is_some(),
                    "{} has no description but its title",
                    sub.get_name()
                );
            }
        }
        check(&Cli::command());
    }

    #[test]
    fn an_import_needs_a_name_or_stops_at_the_snapshot() {
        let parse =
            |args: &[&str]| Cli::try_parse_from([&["cairn", "import", "disk"], args].concat());
        assert_eq!(
            parse(&[]).unwrap_err().kind(),
            ErrorKind::MissingRequiredArgument
        );
        assert_eq!(
            parse(&["--name", "n", "--snapshot-only"])
                .unwrap_err()
                .kind(),
            ErrorKind::ArgumentConflict
        );
        assert!(
            parse(&["--snapshot-only"]).is_ok_and(|cli| matches!(cli.command, Command::Import(_)))
        );
        assert!(parse(&["--name", "n"]).is_ok_and(|cli| matches!(cli.command, Command::Import(_))));
    }

    #[test]
    fn values_are_spelled_as_aws_and_qemu_spell_them() {
        assert_eq!(spelling(Architecture::X86_64), "x86_64");
        assert_eq!(spelling(BootMode::LegacyBios), "legacy-bios");
        assert_eq!(spelling(Format::Vpc), "vpc");
    }
}
