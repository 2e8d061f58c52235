# SPDX-License-Identifier: GPL-3.0-or-later
# Each target is one line; the work is in tests/run.py and in the scripts that it names.

RUN = .venv/bin/python tests/run.py

.DEFAULT_GOAL := help
.PHONY: help setup lint unit property browser loop lab cluster bench test demo demo-cluster docs build clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv with everything that the tests need
	@tests/setup/venv.sh dev

lint: setup ## every static gate, one line each
	@$(RUN) lint

unit: setup ## unit tests: two minutes, no root, no Ansible
	@$(RUN) unit

property: setup ## property tests: random documents and disks
	@$(RUN) property

browser: setup ## the report in headless Chromium
	@$(RUN) browser

loop: setup ## real tools on loop devices; needs root
	@$(RUN) loop

lab: setup ## virtual machines with real disks; FULL=1 for everything
	@FULL=$(FULL) $(RUN) lab

cluster: setup ## real Kubernetes and Ceph on containers as hosts; needs root
	@FULL=$(FULL) $(RUN) cluster

bench: setup ## measure, and compare with the numbers to hold; ONLY=plan,osds,fleet,report,noop,apply,community,volumes; safety and cluster run only when named
	@case "$(ONLY)" in *cluster*) tests/setup/venv.sh dev,cluster ;; esac
	@ONLY=$(ONLY) $(RUN) bench

test: setup ## lint, unit, property, browser, loop, lab and cluster, and what was left out
	@FULL=$(FULL) $(RUN) test

demo: setup ## the demonstration in a virtual machine
	@tests/setup/lab-host.sh
	@tests/demo/run.sh

demo-cluster: ## the count of OSDs edited, on Kubernetes and Ceph in containers; needs root
	@tests/setup/venv.sh dev,cluster
	@tests/setup/cluster-host.sh
	@tests/demo/cluster.sh

docs: setup ## the site in build/site/ and the man page in build/man/
	@$(RUN) docs

build: setup ## collection tarball and Python wheel in dist/
	@$(RUN) build

clean: ## remove what was built (not .venv)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage src/*.egg-info
