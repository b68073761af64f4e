// Helm as its users run it, from its Go module: a chart of our own is installed, upgraded, rolled back and removed.
// tests/clients/run.py starts the program and sets KEELSON_KUBECONFIG.
package helm

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/release"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
)

const (
	chartDirectory = "../../chart"
	patience       = 30 * time.Second
)

// site is a namespace of its own, and Helm and a client that work in it.
type site struct {
	namespace string
	helm      *action.Configuration
	client    *kubernetes.Clientset
}

func newSite(t *testing.T, namespace, driver string) *site {
	t.Helper()
	kubeconfig := os.Getenv("KEELSON_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("KEELSON_KUBECONFIG is not set: run ./dev clients")
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Namespace = &kubeconfig, &namespace
	s := &site{namespace: namespace, helm: &action.Configuration{}}
	if err := s.helm.Init(flags, namespace, driver, t.Logf); err != nil {
		t.Fatal(err)
	}
	config, err := flags.ToRESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	if s.client, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) install(t *testing.T, name string, values map[string]any) *release.Release {
	t.Helper()
	chart, err := loader.Load(chartDirectory)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(s.helm)
	install.ReleaseName, install.Namespace, install.CreateNamespace = name, s.namespace, true
	install.Wait, install.WaitForJobs, install.Timeout = true, true, patience
	made, err := install.Run(chart, values)
	if err != nil {
		t.Fatalf("install: %v", err)
	}
	return made
}

func (s *site) upgrade(t *testing.T, name string, values map[string]any) *release.Release {
	t.Helper()
	chart, err := loader.Load(chartDirectory)
	if err != nil {
		t.Fatal(err)
	}
	upgrade := action.NewUpgrade(s.helm)
	upgrade.Namespace, upgrade.Wait, upgrade.Timeout = s.namespace, true, patience
	made, err := upgrade.Run(name, chart, values)
	if err != nil {
		t.Fatalf("upgrade: %v", err)
	}
	return made
}

func (s *site) deployment(t *testing.T, name string) *appsv1.Deployment {
	t.Helper()
	found, err := s.client.AppsV1().Deployments(s.namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (s *site) configMap(t *testing.T, name string) *corev1.ConfigMap {
	t.Helper()
	found, err := s.client.CoreV1().ConfigMaps(s.namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (s *site) secretKey(t *testing.T, name string) string {
	t.Helper()
	found, err := s.client.CoreV1().Secrets(s.namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return string(found.Data["key"])
}

func expectStatus(t *testing.T, r *release.Release, status release.Status, version int) {
	t.Helper()
	if r.Info.Status != status || r.Version != version {
		t.Fatalf("release is %s at version %d, expected %s at %d", r.Info.Status, r.Version, status, version)
	}
}

func TestReleaseLivesFromInstallToUninstall(t *testing.T) {
	s := newSite(t, "helm-life", "secret")
	made := s.install(t, "shop", map[string]any{"greeting": "hello"})
	expectStatus(t, made, release.StatusDeployed, 1)
	if !strings.Contains(made.Info.Notes, "shop says hello.") {
		t.Errorf("notes: %q", made.Info.Notes)
	}
	if d := s.deployment(t, "shop"); d.Status.ReadyReplicas != 2 {
		t.Errorf("install waited, yet %d replicas are ready", d.Status.ReadyReplicas)
	}
	key := s.secretKey(t, "shop-key")
	if len(key) != 12 {
		t.Errorf("key is %q", key)
	}

	expectStatus(t, s.upgrade(t, "shop", map[string]any{"greeting": "welcome", "replicas": 3}), release.StatusDeployed, 2)
	if got := s.configMap(t, "shop-config").Data["greeting"]; got != "welcome" {
		t.Errorf("after the upgrade the greeting is %q", got)
	}
	if d := s.deployment(t, "shop"); d.Status.ReadyReplicas != 3 || d.Generation != 2 {
		t.Errorf("after the upgrade: %d replicas ready, generation %d", d.Status.ReadyReplicas, d.Generation)
	}
	if got := s.secretKey(t, "shop-key"); got != key {
		t.Errorf("lookup did not find the secret: key %q became %q", key, got)
	}

	rollback := action.NewRollback(s.helm)
	rollback.Version, rollback.Wait, rollback.Timeout = 1, true, patience
	if err := rollback.Run("shop"); err != nil {
		t.Fatalf("rollback: %v", err)
	}
	if got := s.configMap(t, "shop-config").Data["greeting"]; got != "hello" {
		t.Errorf("after the rollback the greeting is %q", got)
	}
	history, err := action.NewHistory(s.helm).Run("shop")
	if err != nil || len(history) != 3 {
		t.Fatalf("history has %d entries: %v", len(history), err)
	}

	uninstall := action.NewUninstall(s.helm)
	uninstall.Wait, uninstall.Timeout, uninstall.DeletionPropagation = true, patience, "foreground"
	if _, err := uninstall.Run("shop"); err != nil {
		t.Fatalf("uninstall: %v", err)
	}
	if _, err := s.client.AppsV1().Deployments(s.namespace).Get(context.Background(), "shop", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the deployment is still there: %v", err)
	}
	left, err := s.client.CoreV1().Pods(s.namespace).List(context.Background(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=shop"})
	if err != nil || len(left.Items) != 0 {
		t.Errorf("%d pods are left: %v", len(left.Items), err)
	}
}

// An upgrade that takes a resource out of the chart's output removes it; one changed by hand is put right.
func TestUpgradeRemovesWhatTheChartNoLongerSays(t *testing.T) {
	s := newSite(t, "helm-prune", "configmap")
	s.install(t, "front", nil)
	budgets := s.client.PolicyV1().PodDisruptionBudgets(s.namespace)
	if _, err := budgets.Get(context.Background(), "front", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	edited := s.deployment(t, "front")
	edited.Spec.Template.Spec.Containers[0].Image = "example/other:9"
	if _, err := s.client.AppsV1().Deployments(s.namespace).Update(context.Background(), edited, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.upgrade(t, "front", map[string]any{"disruption": map[string]any{"enabled": false}, "image": "example/parcel:2.0"})
	if _, err := budgets.Get(context.Background(), "front", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the budget is still there: %v", err)
	}
	if got := s.deployment(t, "front").Spec.Template.Spec.Containers[0].Image; got != "example/parcel:2.0" {
		t.Errorf("image is %s", got)
	}
}

// Objects that another owner made are not taken over; the install fails and says which.
func TestInstallRefusesObjectsOfOthers(t *testing.T) {
	s := newSite(t, "helm-others", "secret")
	ctx := context.Background()
	if _, err := s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "taken-config"}}
	if _, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	chart, err := loader.Load(chartDirectory)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(s.helm)
	install.ReleaseName, install.Namespace = "taken", s.namespace
	if _, err := install.Run(chart, nil); err == nil || !strings.Contains(err.Error(), `ConfigMap "taken-config" in namespace "helm-others" exists and cannot be imported`) {
		t.Errorf("install says %v", err)
	}
}

// A server-side dry run asks the server and leaves nothing behind.
func TestServerSideDryRunLeavesNothing(t *testing.T) {
	s := newSite(t, "helm-dry", "secret")
	chart, err := loader.Load(chartDirectory)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(s.helm)
	install.ReleaseName, install.Namespace, install.CreateNamespace = "dry", s.namespace, true
	install.DryRun, install.DryRunOption = true, "server"
	made, err := install.Run(chart, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(made.Manifest, "kind: Ingress") {
		t.Errorf("capabilities lack networking.k8s.io/v1/Ingress:\n%s", made.Manifest)
	}
	if _, err := s.client.CoreV1().Namespaces().Get(context.Background(), s.namespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the namespace was made: %v", err)
	}
}
