"""A real guest: it boots, knows who it is, is logged in to, keeps its disks, and outlives the server."""

import json
import os
import subprocess
import time

from .guests import GuestTest
from .harness import BLOCK, binary, clean_environment, wait_for

SCRIPT = """#!/bin/sh
echo "instance $(/etc/guest/metadata meta-data/instance-id)" >/root/letter
sync
echo "LETTER-WRITTEN" >/dev/console
"""

# As cloud-init reads the tree, with a token: names that end in a slash are directories.
CRAWL = """
u=http://169.254.169.254/latest
t=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $u/api/token)
get() { curl -sf -H "X-aws-ec2-metadata-token: $t" "$u/meta-data/$1"; }
crawl() {
    for n in $(get "$1"); do
        case "$1" in */public-keys/|public-keys/) n=${n%%=*}/;; esac
        case "$n" in
            */) crawl "$1$n";;
            *) get "$1$n" >/dev/null && echo "there $1$n" || echo "missing $1$n";;
        esac
    done
}
crawl ''
"""


class Guest(GuestTest):
    def test_a_life(self):
        """Launch, metadata, ssh, attach, detach, stop, start, reboot, terminate."""
        instance = self.booted(script=SCRIPT)
        self.said(instance, "LETTER-WRITTEN")
        with self.subTest("it knows who it is"):
            self.assertEqual(self.shell(instance, "cat /root/letter").strip(), f"instance {instance}")
            document = json.loads(self.shell(instance, "/etc/guest/metadata dynamic/instance-identity/document"))
            described = self.instance(instance)
            self.assertEqual(
                (document["instanceId"], document["imageId"], document["privateIp"], document["region"], document["instanceType"]),
                (instance, self.image, described["PrivateIpAddress"], "us-east-1", "t3.micro"))
            ip = self.shell(instance, "ip -4 -o addr show eth0 || busybox ip -4 -o addr show eth0")
            self.assertIn(described["PrivateIpAddress"] + "/", ip)
            without_token = self.shell(instance, "curl -s -o /dev/null -w '%{http_code}' -X PUT -H 'X-Forwarded-For: 1.2.3.4' "
                                                 "-H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token")
            self.assertEqual(without_token, "403")
        with self.subTest("every path of its metadata that is listed is there"):
            found = self.shell(instance, CRAWL).split("\n")
            self.assertEqual([line for line in found if line.startswith("missing")], [])
            for path in ("instance-id", "placement/availability-zone", "public-keys/0/openssh-key", "block-device-mapping/root"):
                self.assertIn(f"there {path}", found)
        with self.subTest("IMDSv1, where tokens are optional"):
            self.assertEqual(self.shell(instance, "curl -sf http://169.254.169.254/latest/meta-data/ami-id"), self.image)
        with self.subTest("nothing else is reachable"):
            # The server listens on the loopback interface, where an open network's gateway would lead.
            port = self.server.listen.rsplit(":", 1)[1]
            places = f"172.31.0.1:{port} 169.254.169.254:{port} 172.31.0.2:{port} 1.1.1.1:80"
            reached = self.shell(instance, f"for to in {places}; do curl -s -m 3 -o /dev/null http://$to/ && echo $to; done; true")
            self.assertEqual(reached.strip(), "")
        with self.subTest("a volume comes and goes"):
            self.hotplug(instance)
        with self.subTest("stop and start"):
            self.stop_and_start(instance)
        with self.subTest("reboot"):
            before = self.shell(instance, "cat /proc/sys/kernel/random/boot_id")
            self.ec2.reboot_instances(InstanceIds=[instance])
            wait_for("another boot", lambda: self.boot_id(instance) not in ("", before), 150, 1)
            self.assertEqual(self.instance_state(instance), "running")
        with self.subTest("terminate"):
            root = self.instance(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
            self.terminate(instance)
            self.refused("InvalidVolume.NotFound", self.ec2.describe_volumes, VolumeIds=[root])
            self.assertEqual(self.server.machines(), [])

    def boot_id(self, instance):
        """The boot's id, or nothing while the guest is not up."""
        try:
            return self.shell(instance, "cat /proc/sys/kernel/random/boot_id", check=False, timeout=20)
        except subprocess.TimeoutExpired:
            return ""

    def hotplug(self, instance):
        volume = self.blank_volume()
        self.attach(volume, instance)
        serial = volume.replace("-", "")
        device = wait_for("the disk in the guest", lambda: self.shell(
            instance, f"grep -l {serial} /sys/class/nvme/nvme*/serial || true").strip(), 30)
        disk = "/dev/" + device.split("/")[4] + "n1"
        self.shell(instance, f"dd if=/bin/busybox of={disk} bs=512k seek=3 conv=sync,fsync 2>/dev/null")
        length = int(self.shell(instance, "wc -c </bin/busybox"))
        expected = bytes.fromhex(self.shell(instance, "od -An -v -tx1 -N 4096 /bin/busybox || busybox od -An -v -tx1 -N 4096 /bin/busybox").replace("\n", ""))
        snapshot = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.shell(instance, f"dd if=/dev/zero of={disk} bs=512k seek=3 count=1 conv=fsync 2>/dev/null")
        self.detach(volume)
        wait_for("the disk to be gone", lambda: not self.shell(instance, f"ls {disk} 2>/dev/null || true").strip(), 30)
        self.completed(snapshot)
        found = self.blocks_of(snapshot)
        # The image is that of the call, not of what was written later.
        self.assertEqual(sorted(found), list(range(3, 3 + -(-length // BLOCK))))
        self.assertEqual(found[3][:4096], expected)
        self.ec2.delete_volume(VolumeId=volume)

    def stop_and_start(self, instance):
        before = self.instance(instance)
        self.ec2.stop_instances(InstanceIds=[instance])
        self.wait_instance(instance, "stopped")
        self.assertEqual(self.server.machines(), [])
        self.ec2.start_instances(InstanceIds=[instance])
        self.wait_instance(instance, "running")
        wait_for("ssh", lambda: self.boot_id(instance), 150, 1)
        after = self.instance(instance)
        self.assertEqual(after["PrivateIpAddress"], before["PrivateIpAddress"])
        self.assertEqual(self.shell(instance, "cat /root/letter").strip(), f"instance {instance}")

    def test_a_disk_is_taken_from_a_guest_that_holds_it(self):
        """Asked for it the guest hears nothing; by force it gets I/O errors, and the volume is another one's."""
        instance, volume = self.booted(), self.blank_volume()
        self.attach(volume, instance)
        serial = volume.replace("-", "")
        find = f"basename $(dirname $(grep -l {serial} /sys/class/nvme/*/serial))"
        wait_for("the guest to see it", lambda: self.shell(instance, find, check=False).strip(), 60, 0.5)
        disk = f"/dev/{self.shell(instance, find).strip()}n1"
        self.shell(instance, f"echo kept | dd of={disk} bs=512 conv=sync,fsync")
        # By this event of ACPI it would hear that it is asked for a disk.
        self.shell(instance, "echo mask > /sys/firmware/acpi/interrupts/gpe01")
        self.ec2.detach_volume(VolumeId=volume)
        time.sleep(3)
        attachment = self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"][0]
        self.assertEqual(attachment["State"], "detaching")
        self.ec2.detach_volume(VolumeId=volume, Force=True)
        self.available(volume, 60)
        read = f"echo 3 > /proc/sys/vm/drop_caches; dd if={disk} of=/dev/null bs=4096 count=1 2>&1; true"
        self.assertIn("error", self.shell(instance, read))
        write = f"dd if=/dev/urandom of={disk} bs=4096 count=1 conv=fsync 2>&1; true"
        self.assertIn("error", self.shell(instance, write))
        # It has its dead device still, and so it is refused the same one again.
        self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
        self.available(volume, 60)
        other = self.booted()
        self.attach(volume, other)
        wait_for("the other guest to see it", lambda: self.shell(other, find, check=False).strip(), 60, 0.5)
        disk = f"/dev/{self.shell(other, find).strip()}n1"
        self.assertEqual(self.shell(other, f"head -c 4 {disk}"), "kept")
        # A server that is killed finds the first one without the volume.
        self.server.kill()
        self.server.start()
        self.assertEqual(self.instance_state(instance), "running")
        self.assertEqual([mapping["DeviceName"] for mapping in self.instance(instance)["BlockDeviceMappings"]],
                         [self.instance(instance)["RootDeviceName"]])
        self.detach(volume)
        self.terminate(instance, other)

    def test_an_image_of_an_instance_is_launched(self):
        first = self.booted(script=SCRIPT)
        self.said(first, "LETTER-WRITTEN")
        for name, no_reboot in (("while it runs", True), ("with a reboot", False)):
            with self.subTest(name):
                image = self.ec2.create_image(InstanceId=first, Name=name, NoReboot=no_reboot)["ImageId"]
                state = lambda: self.ec2.describe_images(ImageIds=[image])["Images"][0]["State"]
                wait_for("the image", lambda: state() == "available", 150, 0.5)
                second = self.booted(image)
                self.assertEqual(self.shell(second, "cat /root/letter").strip(), f"instance {first}")
                self.terminate(second)
        wait_for("the first to be up again", lambda: self.boot_id(first), 150, 1)
        self.terminate(first)

    def test_a_guest_that_powers_off_is_stopped(self):
        instance = self.booted()
        self.shell(instance, "busybox poweroff", check=False)
        self.wait_instance(instance, "stopped")
        self.terminate(instance)

    def test_a_guest_outlives_the_server(self):
        """kill -9 of the server while the guest writes: it only waits, and nothing is lost."""
        instance = self.booted()
        machine, = self.server.machines()
        boot = self.boot_id(instance)
        self.shell(instance, "nohup sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); echo $i >>/root/count || echo failed >>/run/bad; sync; done' "
                             ">/dev/null 2>&1 </dev/null &")
        count = lambda: int(self.shell(instance, "tail -n 1 /root/count || echo 0").strip() or 0)
        wait_for("the guest to write", lambda: count() > 20, 60)
        for pause in (0.0, 3.0, 8.0):
            before = count()
            self.server.kill()
            time.sleep(pause)
            self.assertEqual(self.server.machines(), [machine], "the machine is gone")
            self.server.start()
            self.assertEqual(self.instance_state(instance), "running")
            wait_for("the guest to write on", lambda: count() > before + 5, 90)
        self.assertEqual(self.boot_id(instance), boot)
        self.assertEqual(self.shell(instance, "cat /run/bad 2>/dev/null; dmesg | grep -i 'I/O error' || busybox dmesg | grep -i 'I/O error' || true").strip(), "")
        self.shell(instance, "pkill sh || busybox pkill -f count || true", check=False)
        # Every line that was written is there, in order.
        lines = self.shell(instance, "cat /root/count").split()
        self.assertEqual(lines, [str(i + 1) for i in range(len(lines))])
        with self.subTest("a clean stop leaves it running, too"):
            self.assertEqual(self.server.stop(), 0)
            self.assertEqual(self.server.machines(), [machine])
            self.server.start()
            self.assertEqual(self.shell(instance, "echo alive").strip(), "alive")
        with self.subTest("metadata and stopping still work"):
            self.assertIn(instance, self.shell(instance, "/etc/guest/metadata meta-data/instance-id"))
            self.ec2.stop_instances(InstanceIds=[instance])
            self.wait_instance(instance, "stopped")
        self.terminate(instance)

    def test_a_machine_that_died_with_the_server_is_stopped(self):
        instance = self.booted()
        machine, = self.server.machines()
        self.server.kill()
        os.kill(machine, 9)
        wait_for("the machine to be gone", lambda: not self.server.machines())
        self.server.start()
        self.wait_instance(instance, "stopped")
        self.ec2.start_instances(InstanceIds=[instance])
        self.wait_instance(instance, "running")
        self.terminate(instance)

    def test_ssh_tells_the_address(self):
        instance = self.booted()
        address = self.server.cairn_json("ssh", instance, "--print")
        self.assertEqual(address["Host"], "127.0.0.1")
        tags = {tag["Key"]: tag["Value"] for tag in self.instance(instance).get("Tags", [])}
        self.assertEqual(tags["aws:cairn:ssh"], f"127.0.0.1:{address['Port']}")
        done = subprocess.run([binary(), "--data", self.server.data, "ssh", instance, "-i", self.key, "--", "exit 42"],
                              env=clean_environment(), stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, 42)
        self.terminate(instance)
