"""How large the benchmarks are: to see that they work, to fit half an hour, or to look closely."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """Sizes of one run. Lists are the sizes over which growth is shown."""

    seconds: int              # of a run of fio in the steady state
    io_mib: int               # disk of P1 to P5
    capture_seconds: int      # of a run of fio while a snapshot is captured
    capture_mib: int          # what that snapshot has to store
    first_mib: tuple          # images of P9
    dense_mib: tuple          # P10: disks that every program backs up
    sparse_gib: tuple         # P10: disks of which Cairn alone is asked
    sparse_changes: tuple     # P10: blocks changed on those
    listed_blocks: tuple      # P11: blocks that differ
    listed_gib: tuple         # P11: sizes of the volumes
    create_gib: tuple         # P12: sizes of the snapshots
    first_reads: int          # P12: reads of a volume that was just made
    restore_mib: int          # P12 and P14: image that is restored
    series_mib: int           # P15 and P16: the machine's disk
    snapshots: int            # P15: successive snapshots
    blobs: int                # P16: small blobs
    marked_blobs: tuple       # marking: growth of memory
    attached_gib: tuple       # P17: sizes of the volumes
    attached: int             # P17: volumes of each size
    churn_mib: int            # P18: disk that is written over
    ingest_mib: int
    described: tuple          # describe: snapshots, and as many images
    described_by_moto: tuple  # describe: the same in moto_server
    describe_seconds: float   # of each kind of request
    direct_blocks: int        # direct and copies


SCALES = {
    "small": Scale(
        seconds=1, io_mib=1024, capture_seconds=1, capture_mib=256, first_mib=(64, 128), dense_mib=(128, 256),
        sparse_gib=(10, 100), sparse_changes=(10, 100), listed_blocks=(100, 200), listed_gib=(10, 10240),
        create_gib=(1, 10240), first_reads=50, restore_mib=256, series_mib=128, snapshots=4, blobs=12800,
        marked_blobs=(12800, 25600), attached_gib=(1, 1024), attached=2, churn_mib=64, ingest_mib=256,
        described=(1000, 2000), described_by_moto=(1000,), describe_seconds=0.3, direct_blocks=64),
    "medium": Scale(
        seconds=1, io_mib=1024, capture_seconds=2, capture_mib=768, first_mib=(128, 384), dense_mib=(256, 768),
        sparse_gib=(100, 10240), sparse_changes=(100, 400, 1000), listed_blocks=(1000,), listed_gib=(10, 10240),
        create_gib=(1, 1024, 10240), first_reads=300, restore_mib=768, series_mib=192, snapshots=12, blobs=64_000,
        marked_blobs=(64_000, 128_000), attached_gib=(1, 10240), attached=6, churn_mib=128, ingest_mib=256,
        described=(1000, 10_000, 100_000), described_by_moto=(1000,), describe_seconds=1.5, direct_blocks=600),
    "full": Scale(
        seconds=4, io_mib=1024, capture_seconds=4, capture_mib=2048, first_mib=(512, 1024, 2048, 4096),
        dense_mib=(1024, 2048, 4096), sparse_gib=(100, 10240), sparse_changes=(100, 300, 1000, 3000),
        listed_blocks=(100, 1000, 10000), listed_gib=(10, 1024, 10240), create_gib=(1, 100, 1024, 10240), first_reads=1000,
        restore_mib=4096, series_mib=2048, snapshots=12, blobs=1_024_000,
        marked_blobs=(512_000, 1_024_000, 2_048_000, 20_480_000), attached_gib=(1, 1024, 10240), attached=6, churn_mib=1024,
        ingest_mib=2048, described=(1000, 10_000, 100_000), described_by_moto=(1000,), describe_seconds=5, direct_blocks=4000),
}
