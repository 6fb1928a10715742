"""EBS direct by boto3: uploads, listings, differences, and what is refused."""

import base64
import hashlib

from .harness import BLOCK, ServerTest, pattern, put_block


class EbsDirect(ServerTest):
    def test_what_was_uploaded_comes_back(self):
        blocks = {i: pattern(i, BLOCK) for i in (0, 1, 5, 2047)} | {9: bytes(BLOCK)}
        snapshot = self.upload(blocks, Description="mine", Tags=[{"Key": "k", "Value": "v"}])
        self.assert_same_blocks(self.blocks_of(snapshot), blocks)
        found = self.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
        self.assertEqual((found["Description"], found["Progress"], found["VolumeSize"]), ("mine", "100%", 1))
        self.assertEqual(found["Tags"], [{"Key": "k", "Value": "v"}])

    def test_a_child_inherits_and_overwrites(self):
        parent_blocks = {0: pattern("p0", BLOCK), 1: pattern("p1", BLOCK)}
        parent = self.upload(parent_blocks)
        child_blocks = {1: pattern("c1", BLOCK), 4: pattern("c4", BLOCK)}
        child = self.upload(child_blocks, ParentSnapshotId=parent)
        self.assert_same_blocks(self.blocks_of(child), parent_blocks | child_blocks)
        changed = self.ebs.list_changed_blocks(FirstSnapshotId=parent, SecondSnapshotId=child)
        self.assertEqual([b["BlockIndex"] for b in changed["ChangedBlocks"]], [1, 4])
        self.assertIn("FirstBlockToken", changed["ChangedBlocks"][0])
        self.assertNotIn("FirstBlockToken", changed["ChangedBlocks"][1])

    def test_long_lists_come_in_pages(self):
        data = pattern("page", BLOCK)
        snapshot = self.upload({i: data for i in range(0, 500, 2)})
        pages = list(self.pages_of_blocks(snapshot, MaxResults=100))
        indexes = [b["BlockIndex"] for page in pages for b in page]
        self.assertEqual(indexes, list(range(0, 500, 2)))
        self.assertGreaterEqual(len(pages), 3)
        later = self.ebs.list_snapshot_blocks(SnapshotId=snapshot, StartingBlockIndex=401)
        self.assertEqual(later["Blocks"][0]["BlockIndex"], 402)

    def test_bad_blocks_are_refused_and_leave_nothing(self):
        ebs = self.ebs
        snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
        data = pattern("bad", BLOCK)
        wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        self.refused("ValidationException", put_block, ebs, snapshot, 0, data, Checksum=wrong, status=400)
        self.refused("ValidationException", put_block, ebs, snapshot, 0, data[:-1], status=400)
        self.refused("ValidationException", put_block, ebs, snapshot, 0, data, DataLength=1, status=400)
        self.refused("ValidationException", put_block, ebs, snapshot, 2048, data, status=400)
        put_block(ebs, snapshot, 1, data)
        self.refused("ValidationException", ebs.complete_snapshot, SnapshotId=snapshot, ChangedBlocksCount=2, status=400)
        self.refused("ValidationException", ebs.complete_snapshot, SnapshotId=snapshot, ChangedBlocksCount=1,
                     Checksum=wrong, ChecksumAlgorithm="SHA256", ChecksumAggregationMethod="LINEAR")
        ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)
        self.completed(snapshot)
        self.assert_same_blocks(self.blocks_of(snapshot), {1: data})

    def test_tokens_and_ids_are_checked(self):
        ebs = self.ebs
        snapshot = self.upload({0: pattern("t", BLOCK)})
        self.refused("ValidationException", ebs.get_snapshot_block, SnapshotId=snapshot, BlockIndex=0, BlockToken="AAAA")
        self.refused("ResourceNotFoundException", ebs.list_snapshot_blocks, SnapshotId="snap-0123456789abcdef0", status=404)
        self.refused("ValidationException", ebs.list_snapshot_blocks, SnapshotId="snap-nonsense", status=400)
        token = ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"][0]["BlockToken"]
        other = self.upload({0: pattern("u", BLOCK)})
        self.refused("ValidationException", ebs.get_snapshot_block, SnapshotId=other, BlockIndex=0, BlockToken=token)

    def test_the_same_token_starts_the_same_snapshot(self):
        ebs = self.ebs
        first = ebs.start_snapshot(VolumeSize=1, ClientToken="once")["SnapshotId"]
        self.assertEqual(ebs.start_snapshot(VolumeSize=1, ClientToken="once")["SnapshotId"], first)
        self.refused("ConflictException", ebs.start_snapshot, VolumeSize=2, ClientToken="once", status=409)
        self.ec2.delete_snapshot(SnapshotId=first)
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[first])
