"""kill -9 in every operation of several steps: it is finished or undone, its bytes are exact, and nothing is left over.

Each operation is first done undisturbed, which says how long it takes; then it is begun anew several times, and the
server is killed at moments spread over that time. The moments come from a seed, as in `test_crash`.
"""

import contextlib
import os
import sqlite3
import threading
import time

from .guests import GuestTest, MachineTest, nbd
from .harness import BLOCK, REGION, pattern, wait_for
from .test_collection import CollectionTest
from .test_crash import seeded

ELSEWHERE = "eu-west-1"
ZONE = f"{REGION}a"
ROOT_DEVICE = "/dev/xvda"


class Interrupted(CollectionTest):
    """What is common to them. Garbage is collected by hand and at once, so that what is left over shows."""

    config = "[collection]\nenabled = false\ngrace_seconds = 0\n"

    def interrupted(self, act, settle, kills=4, prepare=lambda name: None):
        """Acts once undisturbed and then with the server killed; `settle` waits for the end of each.

        `act` gets a name of its own for each time, as does `prepare`, which is left undisturbed. What it answers is
        given to `settle`, or none if the server died before it answered.
        """
        rng = seeded(self)
        prepare("undisturbed")
        begun = time.monotonic()
        settle(act(f"undisturbed {rng.random()}"))
        whole = time.monotonic() - begun
        for number in range(kills):
            prepare(number)
            answer = self.killed_in(act, f"{number} {rng.random()}", whole * (number + rng.random()) / kills)
            settle(answer)

    def killed_in(self, act, name, moment):
        from botocore.exceptions import BotoCoreError, ClientError
        answers = []

        def acting():
            with contextlib.suppress(BotoCoreError, ClientError):
                answers.append(act(name))
        thread = threading.Thread(target=acting)
        thread.start()
        time.sleep(moment)
        self.server.kill()
        thread.join()
        self.server.start()
        return answers[0] if answers else None

    def there(self, service="ec2"):
        return self.server.client(service, region=ELSEWHERE)

    def all_snapshots(self, ec2, wanted=("completed",)):
        """The account's snapshots, once all of them are in one of the states."""
        def found():
            every = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
            self.assertNotIn("error", [snapshot["State"] for snapshot in every])
            return {"all": every} if all(snapshot["State"] in wanted for snapshot in every) else None
        return wait_for("every snapshot to settle", found, 120)["all"]

    def all_images(self, ec2):
        """The account's images, once all of them are available."""
        def found():
            every = ec2.describe_images(Owners=["self"])["Images"]
            self.assertLessEqual({image["State"] for image in every}, {"pending", "available"})
            return {"all": every} if all(image["State"] == "available" for image in every) else None
        return wait_for("every image to settle", found, 120)["all"]

    def all_volumes(self):
        def found():
            every = self.ec2.describe_volumes()["Volumes"]
            self.assertLessEqual({volume["State"] for volume in every}, {"creating", "available", "in-use"})
            return {"all": every} if all(volume["State"] != "creating" for volume in every) else None
        return wait_for("every volume to settle", found, 120)["all"]

    def live(self):
        """Bytes that something needs, by region; regions that hold none are left out."""
        regions = self.server.cairn_json("gc", "--dry-run")["Regions"]
        return {region["Region"]: region["Live"]["Bytes"] for region in regions if region["Live"]["Bytes"]}

    def jobs(self):
        """Work that is not over, and what of it failed; not what waits for its time whatever happens."""
        with contextlib.closing(sqlite3.connect(f"file:{self.server.data}/cairn.db?mode=ro", uri=True)) as rows:
            return rows.execute("SELECT kind, subject, state, error FROM job WHERE kind NOT IN ('scrub', 'expire-upload')").fetchall()

    def finish_jobs(self):
        try:
            wait_for("jobs to be over", lambda: not self.jobs(), 60)
        except AssertionError as cause:
            raise AssertionError(f"{cause}: {self.jobs()}") from None

    def assert_nothing_is_left(self, before):
        """No job, no file of a volume that is none, no byte that was not needed before, and no garbage that stays."""
        self.finish_jobs()
        volumes = {volume["VolumeId"] for volume in self.ec2.describe_volumes()["Volumes"]}
        files = {path.name for path in self.server.data.glob("regions/*/volumes/vol-*")}
        self.assertEqual(files, volumes)
        self.assertEqual(self.live(), before)
        for _ in range(2):
            self.server.cairn("gc")
        for region in self.server.cairn_json("gc", "--dry-run")["Regions"]:
            self.assertEqual((region["Condemned"]["Packs"], region["Waiting"]["Packs"]), (0, 0), region)


class Snapshots(Interrupted):
    def setUp(self):
        super().setUp()
        self.blocks = {index: pattern((self.id(), index), BLOCK) for index in range(0, 128, 2)}
        self.source = self.upload(self.blocks)
        self.before = self.live()

        self.addCleanup(lambda: self.ec2.delete_snapshot(SnapshotId=self.source))

    def new_key(self):
        """A key of the other region: what is under it shares no block with anything, so that all of them are moved."""
        return self.there("kms").create_key()["KeyMetadata"]["Arn"]

    def same_there(self, snapshot):
        self.assert_same_blocks(self.blocks_of(snapshot, ebs=self.there("ebs")), self.blocks)

    def test_copies_to_another_region(self):
        def copy(name):
            return self.there().copy_snapshot(
                SourceRegion=REGION, SourceSnapshotId=self.source, Description=name, Encrypted=True, KmsKeyId=self.new_key())["SnapshotId"]

        def settle(answered):
            made = self.all_snapshots(self.there())
            self.assertLessEqual({answered} - {None}, {snapshot["SnapshotId"] for snapshot in made})
            for snapshot in made:
                self.assertEqual((snapshot["Progress"], snapshot["Encrypted"]), ("100%", True))
                self.same_there(snapshot["SnapshotId"])
                self.there().delete_snapshot(SnapshotId=snapshot["SnapshotId"])
            self.assert_nothing_is_left(self.before)
        self.interrupted(copy, settle)

    def test_copies_whose_source_goes_meanwhile(self):
        """The copy holds on to what it copies."""
        def copy(name):
            blocks = {index: pattern((name, index), BLOCK) for index in range(24)}
            source = self.upload(blocks)
            made = self.there().copy_snapshot(SourceRegion=REGION, SourceSnapshotId=source)["SnapshotId"]
            self.ec2.delete_snapshot(SnapshotId=source)
            return made, blocks

        def settle(answered):
            made, blocks = answered
            for _ in range(2):
                self.server.cairn("gc")
            self.all_snapshots(self.there())
            self.assert_same_blocks(self.blocks_of(made, ebs=self.there("ebs")), blocks)
            self.there().delete_snapshot(SnapshotId=made)
            self.assert_nothing_is_left(self.before)
        settle(copy("undisturbed"))
        rng = seeded(self)
        for number in range(3):
            answer = copy(f"{number} {rng.random()}")
            time.sleep(rng.uniform(0, 0.3))
            self.server.kill()
            self.server.start()
            settle(answer)

    def test_copies_of_images(self):
        source = self.ec2.register_image(Name="to be copied", RootDeviceName=ROOT_DEVICE, Architecture="x86_64", BlockDeviceMappings=[
            {"DeviceName": ROOT_DEVICE, "Ebs": {"SnapshotId": self.source}}])["ImageId"]
        self.addCleanup(lambda: self.ec2.deregister_image(ImageId=source))
        tokens = {}

        def copy(name):
            tokens[name] = request = {"Name": name, "SourceRegion": REGION, "SourceImageId": source, "Encrypted": True,
                                      "KmsKeyId": self.new_key(), "ClientToken": name}
            return name, self.there().copy_image(**request)["ImageId"]

        def settle(answered):
            made = {image["ImageId"]: image for image in self.all_images(self.there())}
            if answered:
                # The same call again is answered by the same image.
                name, image = answered
                self.assertEqual(self.there().copy_image(**tokens[name])["ImageId"], image)
                self.assertEqual(list(made), [image])
            self.assertLessEqual(len(made), 1)
            self.all_snapshots(self.there())
            for image in made.values():
                snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
                self.same_there(snapshot)
                self.there().deregister_image(ImageId=image["ImageId"], DeleteAssociatedSnapshots=True)
            self.assertEqual(self.all_snapshots(self.there()), [])
            self.assert_nothing_is_left(self.before)
        self.interrupted(copy, settle)

    def tier_status(self):
        filters = [{"Name": "snapshot-id", "Values": [self.source]}]
        return self.ec2.describe_snapshot_tier_status(Filters=filters)["SnapshotTierStatuses"][0]

    def settled_in(self, tier):
        """Waits for the end of a change of tier that may not have begun, and gives whether it was made."""
        def over():
            status = self.tier_status()
            self.assertNotIn("failed", status.get("LastTieringOperationStatus", ""))
            return status if "progress" not in status.get("LastTieringOperationStatus", "") else None
        return wait_for("the change of tier to be over", over, 120)["StorageTier"] == tier

    def test_archives_and_restores(self):
        digest = self.server.cairn_json("verify", self.source)["Digest"]

        def exact(is_archived):
            self.finish_jobs()
            self.assertEqual(self.server.cairn_json("verify", self.source)["Digest"], digest)
            if not is_archived:
                self.assert_same_blocks(self.blocks_of(self.source), self.blocks)
                self.assertEqual(self.live(), self.before)

        def archive(_):
            self.ec2.modify_snapshot_tier(SnapshotId=self.source, StorageTier="archive")
            return True

        def restore(_):
            self.ec2.restore_snapshot_tier(SnapshotId=self.source, PermanentRestore=True)
            return True

        rng = seeded(self)
        durations = {}
        for act, tier, back in ((archive, "archive", restore), (restore, "standard", archive)) * 4:
            is_archived = tier == "archive"
            if act not in durations:
                begun = time.monotonic()
                answered = act(None)
                self.assertTrue(self.settled_in(tier))
                durations[act] = time.monotonic() - begun
            else:
                answered = self.killed_in(act, None, rng.uniform(0, durations[act]))
                changed = self.settled_in(tier)
                self.assertTrue(changed or not answered, "what was answered was not done")
                if not changed:
                    exact(not is_archived)
                    act(None)
                    self.assertTrue(self.settled_in(tier))
            exact(is_archived)
        self.assertFalse(self.settled_in("archive"))
        self.assert_nothing_is_left(self.before)


class Volumes(Interrupted, MachineTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.blank = cls.blank_image()

    def content(self, volume):
        """The bytes of an attached volume by its socket: {index: bytes}, without blocks of zeros."""
        disk = self.temp / f"read-{os.urandom(4).hex()}"
        self.nbdcopy(nbd(self.socket_of(volume)), disk)
        found, zero = {}, bytes(BLOCK)
        with open(disk, "rb") as file:
            for index in range(2048):
                block = file.read(BLOCK)
                if block != zero:
                    found[index] = block
        disk.unlink()
        return found

    def unplug(self, volume, instance):
        """Detaches a volume. Without a system nobody lets go of a disk, so the instance is stopped."""
        self.pull_the_plug([instance])
        self.ec2.detach_volume(VolumeId=volume)
        self.available(volume)

    def delete_all(self, volumes):
        for volume in volumes:
            self.ec2.delete_volume(VolumeId=volume)
        wait_for("the volumes to go", lambda: not {
            volume["VolumeId"] for volume in self.ec2.describe_volumes()["Volumes"]} & set(volumes), 60)

    def snapshot_content(self, volume):
        """What a volume holds, by a snapshot that is gone afterwards."""
        made = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.completed(made)
        found = self.blocks_of(made)
        self.ec2.delete_snapshot(SnapshotId=made)
        return found

    def test_volumes_that_are_filled_from_a_snapshot(self):
        """A guest sees the snapshot's bytes at every moment, killed servers or not, and the volume outlives its snapshot."""
        rng = seeded(self)
        blocks = {index: pattern(("filled", index), BLOCK) for index in range(0, 400, 2)}
        instance = self.running(self.blank)
        before = self.live()
        source = self.upload(blocks)
        for round_ in range(2):
            request = {"AvailabilityZone": ZONE, "SnapshotId": source, "VolumeType": "gp3", "ClientToken": f"{round_} {rng.random()}"}
            answer = self.killed_in(lambda _: self.ec2.create_volume(**request), None, rng.uniform(0, 0.2))
            volume = self.ec2.create_volume(**request)["VolumeId"]
            if answer:
                self.assertEqual(answer["VolumeId"], volume)
            self.assertEqual(len([found for found in self.all_volumes() if found.get("SnapshotId") == source]), 1)
            self.available(volume)
            if self.instance_state(instance) != "running":
                self.ec2.start_instances(InstanceIds=[instance])
                self.wait_instance(instance, "running")
            self.attach(volume, instance)
            if round_ == 1:
                self.ec2.delete_snapshot(SnapshotId=source)
            overwritten = {index: pattern(("over", round_, index), BLOCK) for index in rng.sample(range(500), 20)}
            self.write(self.socket_of(volume), overwritten)
            kills = 0
            while self.initialization(volume) != "completed":
                time.sleep(rng.uniform(0, 0.3))
                if kills < 4:
                    self.server.kill()
                    self.server.start()
                    kills += 1
            self.assertGreaterEqual(kills, 1, "it was filled before it was disturbed")
            self.assert_same_blocks(self.content(volume), blocks | overwritten)
            self.unplug(volume, instance)
            self.assert_same_blocks(self.snapshot_content(volume), blocks | overwritten)
            self.delete_all([volume])
        self.assert_nothing_is_left(before)

    def initialization(self, volume):
        status = self.ec2.describe_volume_status(VolumeIds=[volume])["VolumeStatuses"][0]["VolumeStatus"]
        return next(detail["Status"] for detail in status["Details"] if detail["Name"] == "initialization-state")

    def test_copies_of_volumes(self):
        rng = seeded(self)
        instance, volume = self.running(self.blank), self.blank_volume()
        self.attach(volume, instance)
        state, tokens, before = {}, {}, self.live()

        def change(name):
            changed = {index: pattern((name, index), BLOCK) for index in rng.sample(range(2048), 60)}
            self.write(self.socket_of(volume), changed)
            state.update(changed)

        def copy(name):
            tokens[name] = request = {"SourceVolumeId": volume, "ClientToken": name}
            return name, self.ec2.copy_volumes(**request)["Volumes"][0]["VolumeId"]

        def settle(answered):
            copies = [found["VolumeId"] for found in self.all_volumes() if found.get("SourceVolumeId") == volume]
            if answered:
                name, made = answered
                again = self.ec2.copy_volumes(**tokens[name])["Volumes"][0]["VolumeId"]
                self.assertEqual((again, copies), (made, [made]))
            self.assertLessEqual(len(copies), 1)
            self.finish_jobs()
            # What is written now is not in the copy.
            over = {index: pattern(("over", index), BLOCK) for index in list(state)[:5]}
            frozen = dict(state)
            self.write(self.socket_of(volume), over)
            state.update(over)
            for made in copies:
                self.assert_same_blocks(self.snapshot_content(made), frozen)
            self.delete_all(copies)
        self.interrupted(copy, settle, prepare=change)
        self.assert_same_blocks(self.content(volume), state)
        self.unplug(volume, instance)
        self.delete_all([volume])
        self.assert_nothing_is_left(before)

    def test_volumes_of_the_recycle_bin(self):
        """Killed around the deletion and the restoration: a volume is in one place, with all its bytes."""
        rng = seeded(self)
        rbin, before = self.server.client("rbin"), self.live()
        rule = rbin.create_rule(ResourceType="EBS_VOLUME", RetentionPeriod={"RetentionPeriodValue": 1, "RetentionPeriodUnit": "DAYS"},
                                ResourceTags=[{"ResourceTagKey": "keep"}])["Identifier"]
        blocks = {index: pattern(("bin", index), BLOCK) for index in range(20)}
        source = self.upload(blocks)
        volume = self.ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=source, TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "keep", "Value": ""}]}])["VolumeId"]
        self.available(volume)
        self.ec2.delete_snapshot(SnapshotId=source)

        def in_bin():
            listed = [found["VolumeId"] for found in self.ec2.list_volumes_in_recycle_bin()["Volumes"]]
            shown = [found["VolumeId"] for found in self.ec2.describe_volumes()["Volumes"] if found["VolumeId"] == volume]
            self.assertEqual(len(listed) + len(shown), 1, (listed, shown))
            return bool(listed)
        for _ in range(4):
            answered = self.killed_in(lambda _: [self.ec2.delete_volume(VolumeId=volume)], None, rng.uniform(0, 0.05))
            self.assertTrue(in_bin() or not answered)
            if not in_bin():
                self.ec2.delete_volume(VolumeId=volume)
            self.server.cairn("gc")
            self.refused("InvalidVolume.NotFound", self.ec2.create_snapshot, VolumeId=volume)
            answered = self.killed_in(lambda _: [self.ec2.restore_volume_from_recycle_bin(VolumeId=volume)], None, rng.uniform(0, 0.05))
            self.assertFalse(in_bin() and answered)
            if in_bin():
                self.ec2.restore_volume_from_recycle_bin(VolumeId=volume)
            self.assert_same_blocks(self.snapshot_content(volume), blocks)
        self.server.client("rbin").delete_rule(Identifier=rule)
        self.delete_all([volume])
        self.assert_nothing_is_left(before)

    def images_of(self, instance, volume, state):
        """Images of an instance with a second volume, made while the server is killed."""
        requests = {}
        roots = len(self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])

        def create(name):
            requests[name] = {"InstanceId": instance, "Name": name, "NoReboot": True}
            return name, self.ec2.create_image(**requests[name])["ImageId"]

        def settle(answered):
            made = [image for image in self.all_images(self.ec2) if image["ImageId"] != self.blank]
            self.assertLessEqual(len(made), 1)
            if answered:
                self.assertEqual([(image["Name"], image["ImageId"]) for image in made], [answered])
                self.refused("InvalidAMIName.Duplicate", self.ec2.create_image, **requests[answered[0]])
            self.all_snapshots(self.ec2)
            for image in made:
                devices = {mapping["DeviceName"]: mapping["Ebs"]["SnapshotId"] for mapping in image["BlockDeviceMappings"]}
                self.assertEqual(set(devices), {self.root_device, "/dev/sdf"})
                self.assert_same_blocks(self.blocks_of(devices["/dev/sdf"]), state)
                self.assert_same_blocks(self.blocks_of(devices[self.root_device]), {})
                self.ec2.deregister_image(ImageId=image["ImageId"], DeleteAssociatedSnapshots=True)
            # None was made for an image that is none.
            self.assertEqual(len(self.all_snapshots(self.ec2)), roots)
        self.interrupted(create, settle)

    @property
    def root_device(self):
        image = self.ec2.describe_images(ImageIds=[self.blank])["Images"][0]
        return image["RootDeviceName"]

    def test_images_of_instances(self):
        """Of one that runs, then of the same one stopped."""
        instance, volume = self.running(self.blank), self.blank_volume()
        self.attach(volume, instance)
        before = self.live()
        state = {index: pattern(("image", index), BLOCK) for index in range(0, 240, 3)}
        self.write(self.socket_of(volume), state)
        self.images_of(instance, volume, state)
        self.assertEqual(self.instance_state(instance), "running")
        state |= {index: pattern(("stopped", index), BLOCK) for index in range(0, 240, 5)}
        self.write(self.socket_of(volume), state)
        self.pull_the_plug([instance])
        self.images_of(instance, volume, state)
        self.assertEqual(self.instance_state(instance), "stopped")
        self.unplug(volume, instance)
        self.delete_all([volume])
        self.assert_nothing_is_left(before)


class Guests(GuestTest):
    def boot_of(self, instance):
        """What the guest's kernel calls this boot; nothing while nobody answers."""
        return self.shell(instance, "cat /proc/sys/kernel/random/boot_id", check=False).strip()

    def test_an_image_of_a_guest_that_is_rebooted_for_it(self):
        """Killed while the guest is rebooted: the guest runs again, and the image boots."""
        rng = seeded(self)
        instance = self.booted()
        images = []
        for moment in (rng.uniform(0, 0.4), rng.uniform(0.4, 4)):
            boot = self.boot_of(instance)
            self.shell(instance, f"echo kept-{len(images)} > /kept; sync")
            images.append(self.ec2.create_image(InstanceId=instance, Name=f"rebooted {rng.random()}")["ImageId"])
            time.sleep(moment)
            self.server.kill()
            self.server.start()
            wait_for("the image", lambda: self.ec2.describe_images(ImageIds=images[-1:])["Images"][0]["State"] == "available", 120)
            self.wait_instance(instance, "running")
            wait_for("the guest to be up again", lambda: self.boot_of(instance) not in ("", boot), 120, 0.5)
        again = self.booted(images[-1])
        self.assertEqual(self.shell(again, "cat /kept").strip(), "kept-1")
        self.terminate(instance, again)
