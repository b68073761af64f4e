// The JavaScript client. Run by ../run.py where it is installed; prints "passed|failed name: text" lines.
import * as k8s from '@kubernetes/client-node';

const namespace = `javascript-${process.pid}`;
const config = new k8s.KubeConfig();
config.loadFromFile(process.env.KEELSON_KUBECONFIG);
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);

function check(condition, text) {
  if (!condition) throw new Error(text);
}

function configMap(name, value = '1') {
  return { metadata: { name, labels: { app: 'javascript' } }, data: { k: value } };
}

// The HTTP status that a refused call ends with.
async function statusOf(call) {
  try {
    await call();
  } catch (error) {
    return error.code ?? error.statusCode;
  }
  return undefined;
}

async function typedClientWritesAndReads() {
  const made = await core.createNamespacedConfigMap({ namespace, body: configMap('a') });
  check(made.metadata.uid && made.metadata.creationTimestamp instanceof Date, 'metadata is incomplete');
  const refused = await statusOf(() => core.createNamespacedConfigMap({ namespace, body: configMap('a') }));
  check(refused === 409, `second create says ${refused}`);
  made.data = { k: '2' };
  const replaced = await core.replaceNamespacedConfigMap({ namespace, name: 'a', body: made });
  check(replaced.data.k === '2', JSON.stringify(replaced.data));
  const listed = await core.listNamespacedConfigMap({ namespace, labelSelector: 'app=javascript' });
  check(listed.items.length === 1 && listed.items[0].metadata.name === 'a', JSON.stringify(listed.items));
  await core.deleteNamespacedConfigMap({ namespace, name: 'a' });
  const gone = await statusOf(() => core.readNamespacedConfigMap({ namespace, name: 'a' }));
  check(gone === 404, `a deleted object says ${gone}`);
}

async function patchesOfThreeKinds() {
  await core.createNamespacedConfigMap({ namespace, body: configMap('p') });
  const patch = (body, type) =>
    core.patchNamespacedConfigMap({ namespace, name: 'p', body, fieldManager: 'js', force: type === k8s.PatchStrategy.ServerSideApply || undefined },
      k8s.setHeaderOptions('Content-Type', type));
  let now = await patch([{ op: 'add', path: '/data/json', value: 'x' }], k8s.PatchStrategy.JsonPatch);
  check(now.data.json === 'x', JSON.stringify(now.data));
  now = await patch({ data: { json: null, merge: 'y' } }, k8s.PatchStrategy.MergePatch);
  check(now.data.json === undefined && now.data.merge === 'y', JSON.stringify(now.data));
  now = await patch({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p' }, data: { apply: 'z' } }, k8s.PatchStrategy.ServerSideApply);
  check(now.data.apply === 'z' && now.metadata.managedFields.some((f) => f.manager === 'js' && f.operation === 'Apply'), JSON.stringify(now));
}

async function informerFollowsChanges() {
  const list = () => core.listNamespacedConfigMap({ namespace });
  const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list);
  const seen = [];
  const done = new Promise((resolve, reject) => {
    const note = (what) => (object) => {
      if (object.metadata.name !== 'watched') return;
      seen.push(what);
      if (what === 'delete') resolve();
    };
    for (const what of ['add', 'update', 'delete']) informer.on(what, note(what));
    informer.on('error', reject);
    setTimeout(() => reject(new Error(`only ${seen} after 15 s`)), 15000).unref();
  });
  await informer.start();
  try {
    await core.createNamespacedConfigMap({ namespace, body: configMap('watched') });
    await core.replaceNamespacedConfigMap({ namespace, name: 'watched', body: configMap('watched', '2') });
    await core.deleteNamespacedConfigMap({ namespace, name: 'watched' });
    await done;
  } finally {
    await informer.stop();
  }
  check(seen.join() === 'add,update,delete', seen.join());
}

async function deploymentBecomesAvailable() {
  const labels = { app: 'web' };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'nginx' }] } } };
  await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: 'web' }, spec } });
  for (let i = 0; i < 200; ++i) {
    const now = await apps.readNamespacedDeployment({ namespace, name: 'web' });
    if (now.status.availableReplicas === 2) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('two replicas are not available after 10 s');
}

async function genericObjectsWork() {
  const client = k8s.KubernetesObjectApi.makeApiClient(config);
  const object = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly', namespace },
    spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } } } } } };
  const made = await client.create(object);
  check(made.spec.concurrencyPolicy === 'Allow', JSON.stringify(made.spec));
  const read = await client.read({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly', namespace } });
  check(read.metadata.uid === made.metadata.uid, 'another object was read');
  await client.delete(object);
}

const tests = [typedClientWritesAndReads, patchesOfThreeKinds, informerFollowsChanges, deploymentBecomesAvailable, genericObjectsWork];
await core.createNamespace({ body: { metadata: { name: namespace } } });
for (const test of tests) {
  try {
    await test();
    console.log(`passed javascript ${test.name}`);
  } catch (error) {
    console.log(`failed javascript ${test.name}: ${String(error.stack ?? error).replaceAll('\n', ' | ')}`);
  }
}
await core.deleteNamespace({ name: namespace });
process.exit(0);
