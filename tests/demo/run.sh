#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job on a throw-away virtual host: empty disks to mounted file systems, a second run that changes nothing,
# then a larger volume and a new dataset. Each step says what it shows, its command, and the time that it took.
#   DEMO_KEEP=1   leave the host running at the end
#   DEMO_SVG=FILE draw the first plan into this file
set -euo pipefail
cd "$(dirname "$0")/../.."

demo=build/demo
export BARESTORE_LAB=$PWD/$demo/lab
export PATH=$PWD/.venv/bin:$PATH
export ANSIBLE_DISPLAY_OK_HOSTS=true ANSIBLE_DEPRECATION_WARNINGS=false
. tests/demo/steps.sh

down() { barestore lab down -i inventories/lab --kill --wipe >/dev/null 2>&1 || true; }

trap '[ -n "${DEMO_KEEP:-}" ] || down' EXIT
down
rm -rf "$demo"
mkdir -p "$demo"

step 'A virtual host with empty disks, as inventories/lab/host_vars/lab1 describes it' \
    barestore lab up -i inventories/lab
step 'What is there, and which group of the document takes each disk' \
    barestore disks -i inventories/lab
step 'The plan: everything that will run is known before the first write (exit code 2: changes)' RC=2 \
    barestore plan -i inventories/lab --out "$demo/first.json"
if [ -n "${DEMO_SVG:-}" ]; then python tests/demo/record.py "$DEMO_SVG" "plan:$demo/first.json"; fi
step 'The main job: the inventory becomes working storage' \
    ansible-playbook -i inventories/lab site.yml
step 'What the host has now: devices' \
    barestore lab ssh -i inventories/lab lab1 lsblk -o NAME,SIZE,TYPE,FSTYPE,MOUNTPOINTS
step 'What the host has now: the pool' \
    barestore lab ssh -i inventories/lab lab1 'zpool list -v tank; zfs list -o name,used,recordsize,compression,mountpoint'
step 'What the host has now: mounted file systems and swap' \
    barestore lab ssh -i inventories/lab lab1 'findmnt -t xfs,zfs -o TARGET,SOURCE,FSTYPE,SIZE; swapon --show'
step 'A second run changes nothing' \
    ansible-playbook -i inventories/lab site.yml

# The same site, so the folder keeps its name: it is a part of all planned UUIDs.
mkdir "$demo/changed"
cp -r inventories/lab "$demo/changed/lab"
sed -i -e 's/containerd: {size: 1 GiB,/containerd: {size: 1280 MiB,/' \
    -e 's|^\( *\)mysql: {recordsize.*|&\n\1backups: {compression: zstd, mount: /srv/backups}|' \
    "$demo/changed/lab/group_vars/storage_servers.yml"
step 'Somebody edits the inventory: a larger volume, a new dataset' RC=1 \
    diff -U0 --label before --label after inventories/lab/group_vars/storage_servers.yml "$demo/changed/lab/group_vars/storage_servers.yml"
step 'The plan of that change, with its commands' RC=2 \
    barestore plan -v -i "$demo/changed/lab" --out "$demo/second.json"
step 'Exactly that plan is applied, or nothing' \
    barestore apply -i "$demo/changed/lab" --plan "$demo/second.json"
step 'The volume and its file system have grown, the dataset is mounted' \
    barestore lab ssh -i inventories/lab lab1 'findmnt -t xfs,zfs -o TARGET,SOURCE,FSTYPE,SIZE'
step 'And nothing is left to do' \
    barestore plan -i "$demo/changed/lab"

finished
