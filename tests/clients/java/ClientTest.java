// The fabric8 Java client. Run by ../run.py where it is installed; prints "passed|failed name: text" lines.

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.io.File;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

public class ClientTest {
  interface Body {
    void run() throws Exception;
  }

  private static final String NAMESPACE = "java-" + ProcessHandle.current().pid();
  private final KubernetesClient client;

  ClientTest(KubernetesClient client) {
    this.client = client;
  }

  static void check(boolean condition, Object text) {
    if (!condition) throw new AssertionError(text);
  }

  static ConfigMap configMap(String name, String value) {
    return new ConfigMapBuilder().withNewMetadata().withName(name).addToLabels("app", "java").endMetadata()
        .addToData("k", value).build();
  }

  static int codeOf(Body call) throws Exception {
    try {
      call.run();
    } catch (KubernetesClientException refused) {
      return refused.getCode();
    }
    return 0;
  }

  void typedClientWritesAndReads() throws Exception {
    var maps = client.configMaps().inNamespace(NAMESPACE);
    ConfigMap made = maps.resource(configMap("a", "1")).create();
    check(made.getMetadata().getUid() != null, made);
    check(codeOf(() -> maps.resource(configMap("a", "1")).create()) == 409, "a second create is not refused");
    ConfigMap edited = maps.withName("a").edit(m -> new ConfigMapBuilder(m).addToData("l", "2").build());
    check(edited.getData().equals(Map.of("k", "1", "l", "2")), edited.getData());
    check(codeOf(() -> maps.resource(made).update()) == 409, "a stale update is not refused");
    check(maps.withLabel("app", "java").list().getItems().size() == 1, "the list by label is wrong");
    maps.withName("a").delete();
    check(maps.withName("a").get() == null, "a deleted object is still there");
  }

  void serverSideApplyTakesOverByForce() throws Exception {
    var maps = client.configMaps().inNamespace(NAMESPACE);
    PatchContext first = new PatchContext.Builder().withPatchType(PatchType.SERVER_SIDE_APPLY).withFieldManager("one").build();
    PatchContext second = new PatchContext.Builder().withPatchType(PatchType.SERVER_SIDE_APPLY).withFieldManager("two").build();
    PatchContext force = new PatchContext.Builder().withPatchType(PatchType.SERVER_SIDE_APPLY).withFieldManager("two").withForce(true).build();
    maps.resource(configMap("s", "1")).patch(first);
    check(codeOf(() -> maps.resource(configMap("s", "2")).patch(second)) == 409, "no conflict");
    ConfigMap taken = maps.resource(configMap("s", "2")).patch(force);
    check(taken.getData().get("k").equals("2"), taken);
  }

  void informerFollowsChanges() throws Exception {
    var seen = new LinkedBlockingQueue<String>();
    var handler = new ResourceEventHandler<ConfigMap>() {
      public void onAdd(ConfigMap m) {
        seen.add("add " + m.getMetadata().getName());
      }
      public void onUpdate(ConfigMap before, ConfigMap m) {
        seen.add("update " + m.getMetadata().getName());
      }
      public void onDelete(ConfigMap m, boolean unknown) {
        seen.add("delete " + m.getMetadata().getName());
      }
    };
    var maps = client.configMaps().inNamespace(NAMESPACE);
    try (var informer = maps.withLabel("app", "watched").inform(handler)) {
      var map = new ConfigMapBuilder().withNewMetadata().withName("w").addToLabels("app", "watched").endMetadata().build();
      maps.resource(map).create();
      check("add w".equals(seen.poll(15, TimeUnit.SECONDS)), seen);
      maps.withName("w").edit(m -> new ConfigMapBuilder(m).addToData("k", "2").build());
      check("update w".equals(seen.poll(15, TimeUnit.SECONDS)), seen);
      maps.withName("w").delete();
      check("delete w".equals(seen.poll(15, TimeUnit.SECONDS)), seen);
    }
  }

  void deploymentBecomesReadyAndScales() throws Exception {
    Deployment web = new DeploymentBuilder().withNewMetadata().withName("web").endMetadata()
        .withNewSpec().withReplicas(1).withNewSelector().addToMatchLabels("app", "web").endSelector()
        .withNewTemplate().withNewMetadata().addToLabels("app", "web").endMetadata()
        .withNewSpec().addNewContainer().withName("c").withImage("nginx").endContainer().endSpec().endTemplate().endSpec().build();
    var deployments = client.apps().deployments().inNamespace(NAMESPACE);
    deployments.resource(web).create();
    deployments.withName("web").waitUntilReady(15, TimeUnit.SECONDS);
    deployments.withName("web").scale(3);
    deployments.withName("web").waitUntilCondition(d -> Integer.valueOf(3).equals(d.getStatus().getReadyReplicas()), 15, TimeUnit.SECONDS);
  }

  void genericResourcesWork() throws Exception {
    var budget = new GenericKubernetesResource();
    budget.setApiVersion("policy/v1");
    budget.setKind("PodDisruptionBudget");
    budget.setMetadata(new ConfigMapBuilder().withNewMetadata().withName("budget").withNamespace(NAMESPACE).endMetadata().build().getMetadata());
    budget.setAdditionalProperty("spec", Map.of("minAvailable", 1, "selector", Map.of("matchLabels", Map.of("a", "b"))));
    var made = client.resource(budget).create();
    check(made.getMetadata().getUid() != null, made);
    client.resource(budget).delete();
  }

  public static void main(String[] arguments) throws Exception {
    Config config = Config.fromKubeconfig(new File(System.getenv("KEELSON_KUBECONFIG")));
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
      client.namespaces().resource(new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build()).create();
      ClientTest test = new ClientTest(client);
      record Named(String name, Body body) {}
      for (Named one : List.of(new Named("typedClientWritesAndReads", test::typedClientWritesAndReads),
          new Named("serverSideApplyTakesOverByForce", test::serverSideApplyTakesOverByForce),
          new Named("informerFollowsChanges", test::informerFollowsChanges),
          new Named("deploymentBecomesReadyAndScales", test::deploymentBecomesReadyAndScales),
          new Named("genericResourcesWork", test::genericResourcesWork))) {
        try {
          one.body().run();
          System.out.println("passed java " + one.name());
        } catch (Exception | AssertionError problem) {
          System.out.println("failed java " + one.name() + ": " + String.valueOf(problem).replace('\n', ' '));
        }
      }
      client.namespaces().withName(NAMESPACE).delete();
    }
    System.exit(0);
  }
}
