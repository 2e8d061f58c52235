#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same cluster as a person makes it who has everything lying by: kubeadm init and join, the network, Rook's chart,
# the volumes, the CephCluster; waits as short as they can be.
# usage: make.sh FOLDER SSH_CONFIG KUBECTL HELM CHARTS
set -euo pipefail
folder=$1 config=$2 kubectl=$3 helm=$4 charts=$5
on() { ssh -F "$config" "$@"; }
export KUBECONFIG=$folder/admin.conf

for host in h1 h2 h3; do
    on "$host" 'mkdir -p /etc/kubernetes/kubelet.d && cat > /etc/kubernetes/kubelet.d/90.conf &&
        echo "KUBELET_EXTRA_ARGS=--config-dir=/etc/kubernetes/kubelet.d" > /etc/default/kubelet &&
        systemctl daemon-reload && systemctl enable --quiet kubelet' < "$folder/kubelet.conf" &
done
wait
on h1 'cat > /etc/kubernetes/kubeadm.yaml && kubeadm init --config /etc/kubernetes/kubeadm.yaml' < "$folder/kubeadm.yaml"
on h1 cat /etc/kubernetes/admin.conf > "$KUBECONFIG"
"$kubectl" apply --server-side --filename "$folder/network.yaml"
join=$(on h1 kubeadm token create --print-join-command)
on h2 "$join --ignore-preflight-errors SystemVerification,Swap" &
on h3 "$join --ignore-preflight-errors SystemVerification,Swap" &
wait
"$kubectl" label nodes h1 topology.rook.io/rack=rack1
"$kubectl" label nodes h2 topology.rook.io/rack=rack2
"$kubectl" label nodes h3 topology.rook.io/rack=rack3
"$helm" upgrade --install rook-ceph rook-ceph --repo "$charts" --namespace rook-ceph --create-namespace \
    --values "$folder/values.json" --wait --timeout 10m
"$kubectl" apply --server-side --filename "$folder/volumes.json"
"$kubectl" apply --server-side --filename "$folder/cluster.json"
"$kubectl" --namespace ceph-hdd wait cephcluster/ceph-hdd --for=condition=Ready --timeout=20m
"$kubectl" --namespace ceph-hdd rollout status deployment/rook-ceph-tools --timeout=10m
