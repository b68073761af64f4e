"""The Python client. Run by run.py in an environment that has it; prints "passed|failed|skipped name: text" lines."""
import os
import threading
import traceback

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException

NAMESPACE = f"python-{os.getpid()}"


def config_map(name, value="1"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": "python"}}, "data": {"k": value}}


def status_of(call, *arguments, **named):
    """The HTTP status that a refused call ends with."""
    try:
        call(*arguments, **named)
    except ApiException as error:
        return error.status
    return None


def typed_client_writes_and_reads():
    core = client.CoreV1Api()
    made = core.create_namespaced_config_map(NAMESPACE, config_map("a"))
    assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
    assert status_of(core.create_namespaced_config_map, NAMESPACE, config_map("a")) == 409
    patched = core.patch_namespaced_config_map("a", NAMESPACE, {"data": {"l": "2"}})
    assert patched.data == {"k": "1", "l": "2"}, patched.data
    made.data = {"k": "3"}
    assert status_of(core.replace_namespaced_config_map, "a", NAMESPACE, made) == 409
    assert [m.metadata.name for m in core.list_namespaced_config_map(NAMESPACE, label_selector="app=python").items] == ["a"]
    core.delete_namespaced_config_map("a", NAMESPACE)
    assert status_of(core.read_namespaced_config_map, "a", NAMESPACE) == 404


def invalid_objects_are_refused():
    core = client.CoreV1Api()
    assert status_of(core.create_namespaced_config_map, NAMESPACE, config_map("Bad_Name")) == 422
    assert status_of(core.create_namespaced_config_map, NAMESPACE, {**config_map("x"), "data": {"k": 5}}) == 400


def watch_tells_changes_in_order():
    core = client.CoreV1Api()
    start = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    seen = []

    def follow():
        stream = watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, resource_version=start, label_selector="app=python", timeout_seconds=10)
        for event in stream:
            seen.append((event["type"], event["object"].metadata.name))
            if len(seen) == 3:
                return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    core.create_namespaced_config_map(NAMESPACE, config_map("w"))
    core.patch_namespaced_config_map("w", NAMESPACE, {"data": {"k": "2"}})
    core.delete_namespaced_config_map("w", NAMESPACE)
    follower.join(15)
    assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")], seen


def dynamic_client_finds_resources():
    resources = dynamic.DynamicClient(client.ApiClient()).resources
    deployments = resources.get(api_version="apps/v1", kind="Deployment")
    labels = {"app": "d"}
    deployments.create(namespace=NAMESPACE, body={
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
    got = deployments.get(name="d", namespace=NAMESPACE)
    assert got.spec.strategy.type == "RollingUpdate" and got.spec.template.spec.restartPolicy == "Always"


def deployment_becomes_available():
    apps = client.AppsV1Api()
    labels = {"app": "web"}
    apps.create_namespaced_deployment(NAMESPACE, {
        "metadata": {"name": "web"}, "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
    for event in watch.Watch().stream(apps.list_namespaced_deployment, NAMESPACE, field_selector="metadata.name=web", timeout_seconds=20):
        if event["object"].status.available_replicas == 2:
            return
    raise AssertionError("two replicas were not available within 20 s")


TESTS = (typed_client_writes_and_reads, invalid_objects_are_refused, watch_tells_changes_in_order, dynamic_client_finds_resources,
         deployment_becomes_available)


def main():
    config.load_kube_config(os.environ["KEELSON_KUBECONFIG"])
    core = client.CoreV1Api()
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    for test in TESTS:
        try:
            test()
            print(f"passed python {test.__name__}")
        except Exception:
            print(f"failed python {test.__name__}: {traceback.format_exc()!r}")
    core.delete_namespace(NAMESPACE)


if __name__ == "__main__":
    main()
