#!/usr/bin/env bash
# Runs one function of the public command suite, in a copy of its tree, against a server that runs already.
# one.sh <tree> <directory of kubectl> <secure port> <function>; "inline" stands for the checks that the suite's list of
# functions has between them. The exit status says whether it passed.
set -o errexit -o nounset -o pipefail
cd "$1"
export SECURE_API_PORT=$3
readonly WANTED=$4 BINARIES=$2
KUBE_ROOT=$PWD
# shellcheck disable=SC1091 # what is sourced is fetched at run time
source hack/lib/init.sh
# shellcheck disable=SC1091
source hack/lib/test.sh
export THIS_PLATFORM_BIN=$BINARIES
# Upstream's looks at the beginning of a pipe, and under load the other end then dies of it.
kube::util::ensure-gnu-sed() { SED=sed; }
# shellcheck disable=SC1091
source test/cmd/legacy-script.sh

# The server runs and the binaries are built.
make() { :; }
kube::etcd::start() { :; }
kube::etcd::cleanup() { :; }

eval "recorded() $(declare -f record_command | tail -n +2)"
if [[ $WANTED == inline ]]; then
  record_command() { :; }
  WHAT=
else
  record_command() { recorded "$WANTED"; }
  export WHAT=one
fi

setup
kubectl create -f - <<'NODE'
{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "127.0.0.1", "annotations": {"save-managers": "true"}},
 "status": {"capacity": {"memory": "1Gi"}}}
NODE
# What stands before the function in the whole suite: a namespace of its own, and minutes of silence of the node.
create_and_use_new_namespace
if [[ $WANTED == run_nodes_tests ]]; then
  kubectl wait --for=condition=Ready=Unknown node/127.0.0.1 --timeout=120s
fi
export SUPPORTED_RESOURCES=("*")
runTests
