//! Filesystems and what fills them.

use super::*;

pub(super) const DF: &str = "== space in kB ==
Filesystem                        Type     1024-blocks     Used Available Capacity Mounted on
tmpfs                             tmpfs        1632916     1632916         0     100% /run/user/1000
/dev/mapper/ubuntu--vg-ubuntu--lv ext4       102687672  94341632   3112332      97% /
tmpfs                             tmpfs        8164564        0   8164564       0% /dev/shm
/dev/loop3                        squashfs       65536    65536         0     100% /snap/core20/2318
/dev/sr0                          iso9660      2600000  2600000         0     100% /media/cdrom
overlay                           overlay    102687672  94341632   3112332      97% /var/lib/docker/overlay2/0a1b/merged
/dev/vda2                         ext4         1992552   291332   1579980      16% /boot
/dev/vda1                         vfat         1098632     6228   1092404       1% /boot/efi
== inodes ==
Filesystem                         Inodes   IUsed   IFree IUse% Mounted on
/dev/mapper/ubuntu--vg-ubuntu--lv 6553600  812000 5741600   13% /
/dev/vda1                               0       0       0     - /boot/efi
== mounts ==
/dev/mapper/ubuntu--vg-ubuntu--lv / ext4 rw,relatime,errors=remount-ro
/dev/vda2 /boot ext4 rw,relatime
";

pub(super) const BIGGEST: &str = "== fullest ==
/
== biggest ==
92130 MB\t/
52000 MB\t/var
42000 MB\t/var/log
24000 MB\t/home
23000 MB\t/home/ci
21000 MB\t/var/log/app.log.1
20500 MB\t/var/log/app.log
9000 MB\t/var/lib
";

#[test]
fn the_full_root_is_named_with_what_fills_it_and_images_are_not() {
    let observed = [ran(Reading::Filesystems, DF), ran(Reading::BiggestFiles, BIGGEST)];
    says(
        &observed,
        &["devvm: root filesystem 97 % full, /var/log 41 GB, /home/ci 22 GB, /var/lib 8.8 GB; 3 GB left of 98 GB"],
    );
    says_nothing_of(
        &observed,
        &["snap", "cdrom", "overlay", "tmpfs", "/boot", "biggest things", "read-only", "Not checked"],
    );
}

#[test]
fn what_is_reserved_for_root_is_told_from_what_is_left() {
    let df = DF.replace("94341632   3112332      97%", "97500000         0     100%");
    says(
        &[ran(Reading::Filesystems, &df)],
        &["root filesystem 100 % full, nothing left of 98 GB, but 4.9 GB reserved for root", "the preset Disk shows"],
    );
}

#[test]
fn a_huge_filesystem_with_room_left_is_no_alarm() {
    let df = "== space ==\n/dev/sda1 xfs 10737418240 9879000000 858418240 92% /data\n== inodes ==\n/dev/sda1 100 1 99 1% /data\n== mounts ==\n/dev/sda1 /data xfs rw\n";
    says(&[ran(Reading::Filesystems, df)], &["nothing wrong found by these checks"]);
}

#[test]
fn inodes_that_are_used_up_are_found_though_there_is_space() {
    let df = DF.replace("812000 5741600   13%", "6553600 0 100%").replace("97% /\n", "40% /\n");
    says(&[ran(Reading::Filesystems, &df)], &["root filesystem has used 100 % of its inodes: 0 left"]);
}

#[test]
fn a_root_that_became_read_only_is_critical_and_a_bind_mount_is_not() {
    let mounts = "/dev/vda1 / ext4 ro,relatime,errors=remount-ro\n/dev/vdb1 /data xfs rw\n/dev/vdb1 /srv/ro xfs ro\n/dev/loop1 /snap/a squashfs ro\n";
    let observed = [ran(Reading::Filesystems, &format!("== mounts ==\n{mounts}"))];
    says(
        &observed,
        &[
            "Critical: the root filesystem is mounted read-only (ext4)",
            "df gave no figures",
            "inodes could not be read",
        ],
    );
    says_nothing_of(&observed, &["/srv/ro", "/snap/a"]);
}

#[test]
fn deleted_files_and_caches_are_told_with_what_frees_them() {
    let observed = [
        ran(
            Reading::Clearable,
            "== folders, in kB ==\n3932160\t/var/log/journal\n524288\t/var/cache/apt/archives\n12\t/tmp\n== rotated logs, in kB ==\n28 in 1 files\n== docker ==\nImages: 11.63GB (70%) of 16.43GB\nContainers: 0B (0%) of 1.2MB\nLocal Volumes: 40GB (99%) of 40GB\nBuild Cache: 4.1GB of 4.1GB\n",
        ),
        ran(
            Reading::DeletedOpen,
            "== seen as ==\nroot\n== held ==\n6144 MB 812 nginx: worker /var/log/nginx/access.log (deleted)\n",
        ),
    ];
    says(
        &observed,
        &[
            "journals in /var/log/journal: 3.8 GB",
            "vacuum-size",
            "apt: 512 MB",
            "docker can give back up to 15 GB: images 11 GB, build cache 3.8 GB",
            "nginx: worker (pid 812) 6 GB in /var/log/nginx/access.log",
            "restart what holds",
        ],
    );
    says_nothing_of(&observed, &["volumes 3", "40GB", "Not checked"]);
}
