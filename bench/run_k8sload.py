#!/usr/bin/env python3
"""Measures the release build with the load generator that lies beside the repository, and prints each figure beside that
of a real server (kube-apiserver 1.35 with etcd, same generator and sizes, a machine with two cores) and the bar to reach.

bench/run_k8sload.py [--program build/release/keelson] [--generator DIR] [--pods N] [--out FILE.json] [-- generator flags]
Only CPU per operation and memory compare between machines; rates do not. Exit status 1 when a bar is missed.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))
import program as programs  # noqa: E402

# Beginning of the generator's figure → (what, the real server's CPU ms per operation, the bar).
CPU_MS = {
    "create.json.c50": ("create Pod, JSON", 1.65, 0.15),
    "create.protobuf.c50": ("create Pod, protobuf", 1.54, 0.12),
    "update.status.protobuf.c50": ("PUT status, protobuf", 2.45, 0.15),
    "patch.labels.merge.c50": ("merge patch of labels", 4.24, 0.20),
    "patch.status.strategic.c50": ("strategic merge patch of status", 3.59, 0.20),
    "apply.pod_label.c50": ("server-side apply, Pod label", 4.55, 0.30),
    "apply.deployment_change.c50": ("server-side apply, Deployment change", 4.78, 0.30),
    "get.json.c50": ("GET JSON", 0.295, 0.040),
    "get.rv0.protobuf.c50": ("GET protobuf, resourceVersion=0", 0.155, 0.020),
    "list.all.rv_unset.json": ("LIST all Pods, JSON", 1013, 170),
    "list.all.rv_unset.protobuf": ("LIST all Pods, protobuf", 498, 50),
    "list.label_1pct.rv_unset.json": ("LIST by label, 1 % match, JSON", 17.8, 1.7),
    "list.node_pods.rv0.protobuf": ("LIST one node's Pods, protobuf, resourceVersion=0", 5.8, 0.6),
    "watch.all_pods.json.w1000.e20": ("watch delivery, JSON, 20 events/s", 0.041, 0.006),
    "lease.saturation.put_only.c50": ("Lease PUT", 0.79, 0.05),
    "lease.saturation.mix.c50": ("Lease PUT + Node status patch", 1.09, 0.07),
}
SIZES = {"pods": 10000, "watchers": 1000, "concurrency": 50, "watch-rates": "20,100"}


def cpu_ms(figure):
    """CPU milliseconds per operation; of a watch, per delivery."""
    per_million = (figure.get("more") or {}).get("server_cpu_s_per_1M_deliveries_gross")
    return per_million / 1000 if per_million is not None else figure["server_cpu_s_per_1k"]


def cpu_rows(figures):
    """(what, figure or None, CPU ms, anchor, bar), in the order of the table."""
    by_name = {figure["name"]: figure for figure in figures}
    for name, (what, anchor, bar) in CPU_MS.items():
        figure = by_name.get(name)
        yield what, figure, figure and cpu_ms(figure), anchor, bar


def other_rows(figures):
    """(what, value, bar) of what is no CPU time per operation."""
    for figure in figures:
        more = figure.get("more") or {}
        if figure["name"] == "ready.all_processes":
            yield "ready after exec, ms", more.get("ready_ms"), 100
        elif figure["name"] == "ready.idle":
            yield "idle memory, MiB", figure["server_rss_mib"], 50
            yield "idle CPU, % of a core", more.get("idle_cpu_percent_of_a_core"), 1
        elif figure["name"] == "scale.restart_all":
            yield "restart to ready, CPU s", figure["server_cpu_s"], 0.3


def report(document):
    """Prints the tables; the number of bars that were missed or not measured."""
    missed = 0
    print("| what | rate | p50/p99 ms | CPU ms/op | real server | reach | |\n|---|---|---|---|---|---|---|")
    for what, figure, cpu, anchor, bar in cpu_rows(document["figures"]):
        if figure is None:
            verdict, shown = "not measured", "| | | "
        else:
            verdict = f"{figure['errors']} errors" if figure["errors"] else "MISSED" if cpu > bar else "reached"
            shown = f"| {figure['ops_per_s']:,.0f}/s | {figure.get('p50_ms', 0):.1f}/{figure.get('p99_ms', 0):.1f} | {cpu:.4g} "
        missed += verdict != "reached"
        print(f"| {what} {shown}| {anchor} | ≤ {bar} | {verdict} |")
    print("\n| what | measured | reach | |\n|---|---|---|---|")
    for what, value, bar in other_rows(document["figures"]):
        bad = value is None or value > bar
        missed += bad
        print(f"| {what} | {value} | ≤ {bar} | {'MISSED' if bad else 'reached'} |")
    return missed


def start_command(executable, directory, port):
    return (f"{executable} kube-apiserver --bind-address=127.0.0.1 --secure-port={port} --data-dir={directory}/data "
            f"--cert-dir={directory}/certs --token-auth-file={programs.write_tokens(directory)} --service-cluster-ip-range=10.96.0.0/16")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/keelson")
    parser.add_argument("--generator", default=ROOT.parent / "shared/bench/k8sload")
    parser.add_argument("--pods", type=int, default=SIZES["pods"])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/k8sload.json")
    parser.add_argument("rest", nargs="*", help="flags of the generator, after --")
    args = parser.parse_args()
    generator, executable = pathlib.Path(args.generator), pathlib.Path(args.program).resolve()
    if not (generator / "go.mod").exists():
        sys.exit(f"there is no load generator at {generator}: name it with --generator")
    if not executable.exists():
        sys.exit(f"{executable} does not exist: ./dev build")
    binary = ROOT / "build" / "k8sload"
    binary.parent.mkdir(exist_ok=True)
    subprocess.run(["go", "build", "-o", binary, "."], cwd=generator, check=True)
    args.out.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="keelson-bench-") as directory:
        port = programs.free_port()
        sizes = [f"--{k}={v}" for k, v in {**SIZES, "pods": args.pods}.items()]
        run = subprocess.run([binary, f"--server=https://127.0.0.1:{port}", f"--token={programs.ADMIN_TOKEN}", "--insecure",
                              f"--start-cmd={start_command(executable, directory, port)}", *sizes, f"--out={args.out}", *args.rest])
    if not args.out.exists():
        sys.exit(f"the load generator ended with status {run.returncode} and no figures")
    return 1 if report(json.loads(args.out.read_text())) or run.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
