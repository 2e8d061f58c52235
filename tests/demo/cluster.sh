#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The count of OSDs, edited: three racks of hosts in containers, a Kubernetes and a Ceph cluster on them, then the
# number goes up and down again, with the plan, the progress and the racks before and after.
#   DEMO_KEEP=1   leave the hosts running at the end
#   DEMO_SVG=FILE draw the plans and runs into this file
set -euo pipefail
cd "$(dirname "$0")/../.."

demo=build/demo-cluster
export BARESTORE_LAB=$PWD/$demo/lab
export PATH=$PWD/.venv/bin:$PATH
export ANSIBLE_DISPLAY_OK_HOSTS=false ANSIBLE_DISPLAY_SKIPPED_HOSTS=false ANSIBLE_DEPRECATION_WARNINGS=false
. tests/demo/steps.sh

site=$demo/site/cluster
file=$site/group_vars/all/cluster.yml
bed() { python -m tests.cluster.bed "$@" -i "$site"; }
bed_kubectl() { python -m tests.cluster.bed kubectl -i "$site" "$@"; }
ceph() { bed_kubectl -n ceph-hdd exec deploy/rook-ceph-tools -- ceph "$@"; }
down() { if [ -d "$demo/lab" ]; then bed down >/dev/null 2>&1 || true; fi; }

# edit COUNT WHAT-IT-SHOWS: the number is edited, the plan is shown, and exactly that plan is applied.
edit() {
    cp "$file" "$demo/before.yml"
    sed -i -E "s/(hdd: \{count: )[0-9]+/\1$1/" "$file"
    step "$2" RC=1 diff -U0 --label before --label after "$demo/before.yml" "$file"
    keep=$demo/plan-$1.txt step 'The plan: which OSDs come or go, and how the racks stand before and after' RC=2 \
        barestore plan -i "$site" --limit cp1 --out "$demo/plan-$1.json"
    keep=$demo/apply-$1.txt step 'Exactly that plan is applied, or nothing' \
        barestore apply -i "$site" --limit cp1 --plan "$demo/plan-$1.json"
    step 'The racks afterwards, as Ceph has them' ceph osd tree
}

trap '[ -n "${DEMO_KEEP:-}" ] || down' EXIT
down
rm -rf "$demo"
mkdir -p "$site"
cp -r inventories/cluster/hosts.yml inventories/cluster/group_vars "$site/"

step 'Hosts in three racks, as inventories/cluster describes them, and a mirror: there is no internet' \
    bed up
step 'The main job: their disks, a Kubernetes on them, and a Ceph cluster with three OSDs' \
    ansible-playbook -i "$site" site.yml
step 'What came of it: nodes and their racks' \
    bed_kubectl get nodes -L topology.rook.io/rack
step 'What came of it: Ceph' \
    ceph status
edit 6 'Somebody edits the number: three more OSDs'
edit 4 'Two of them go again: their data leaves first, and their disks are wiped'
step 'Nothing is left to do' \
    barestore plan -i "$site" --limit cp1
step 'No disk has two owners' \
    barestore audit -i "$site"
if [ -n "${DEMO_SVG:-}" ]; then
    python tests/demo/record.py "$DEMO_SVG" "text:$demo/plan-6.txt:barestore plan" "text:$demo/apply-6.txt:barestore apply --plan plan.json" \
        "text:$demo/plan-4.txt:barestore plan" "text:$demo/apply-4.txt:barestore apply --plan plan.json"
fi
finished
