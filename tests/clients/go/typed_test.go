package clients

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

func TestTypedCreateGetUpdateDelete(t *testing.T) {
	encodings(t, func(t *testing.T, client *kubernetes.Clientset) {
		ctx, maps := deadline(t), client.CoreV1().ConfigMaps(namespace(t, client))
		made, err := maps.Create(ctx, configMap("a", "1"), metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if made.UID == "" || made.ResourceVersion == "" || made.CreationTimestamp.IsZero() {
			t.Errorf("metadata was not filled in: %+v", made.ObjectMeta)
		}
		if _, err = maps.Create(ctx, configMap("a", "1"), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
			t.Errorf("second create: %v, want AlreadyExists", err)
		}
		made.Data["key"] = "2"
		updated, err := maps.Update(ctx, made, metav1.UpdateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = maps.Update(ctx, made, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
			t.Errorf("update of an old version: %v, want Conflict", err)
		}
		got, err := maps.Get(ctx, "a", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Data["key"] != "2" || got.ResourceVersion != updated.ResourceVersion || got.UID != made.UID {
			t.Errorf("got %v at %s, want key=2 at %s", got.Data, got.ResourceVersion, updated.ResourceVersion)
		}
		if err = maps.Delete(ctx, "a", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("other")}); !apierrors.IsConflict(err) {
			t.Errorf("delete with another UID: %v, want Conflict", err)
		}
		if err = maps.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err = maps.Get(ctx, "a", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("get after delete: %v, want NotFound", err)
		}
	})
}

func TestListPagesAtOneRevision(t *testing.T) {
	encodings(t, func(t *testing.T, client *kubernetes.Clientset) {
		ctx, maps := deadline(t), client.CoreV1().ConfigMaps(namespace(t, client))
		for i := range 7 {
			if _, err := maps.Create(ctx, configMap(fmt.Sprintf("m%d", i), "x"), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		options, revision, names := metav1.ListOptions{Limit: 3, LabelSelector: "app=go-test"}, "", []string{}
		for page := 0; ; page++ {
			list, err := maps.List(ctx, options)
			if err != nil {
				t.Fatal(err)
			}
			if page == 0 {
				revision = list.ResourceVersion
				if _, err := maps.Create(ctx, configMap("later", "x"), metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if list.ResourceVersion != revision {
				t.Errorf("page %d is at %s, the first was at %s", page, list.ResourceVersion, revision)
			}
			for _, item := range list.Items {
				names = append(names, item.Name)
			}
			if options.Continue = list.Continue; options.Continue == "" {
				break
			}
		}
		if want := []string{"m0", "m1", "m2", "m3", "m4", "m5", "m6"}; !slices.Equal(names, want) {
			t.Errorf("listed %v, want %v", names, want)
		}
	})
}

func TestPatches(t *testing.T) {
	client := clientset(t, config(t))
	ctx, n := deadline(t), namespace(t, client)
	deployments := client.AppsV1().Deployments(n)
	labels := map[string]string{"app": "p"}
	replicas := int32(0)
	_, err := deployments.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "p"},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{
				{Name: "one", Image: "one:1"}, {Name: "two", Image: "two:1"}}}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	images := func(d *appsv1.Deployment) (out []string) {
		for _, c := range d.Spec.Template.Spec.Containers {
			out = append(out, c.Name+"="+c.Image)
		}
		return out
	}
	for _, step := range []struct {
		kind types.PatchType
		body string
		want []string
	}{
		{types.StrategicMergePatchType, `{"spec":{"template":{"spec":{"containers":[{"name":"two","image":"two:2"}]}}}}`, []string{"one=one:1", "two=two:2"}},
		{types.JSONPatchType, `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"one:3"}]`, []string{"one=one:3", "two=two:2"}},
		{types.MergePatchType, `{"spec":{"template":{"spec":{"containers":[{"name":"only","image":"only:4"}]}}}}`, []string{"only=only:4"}},
	} {
		got, err := deployments.Patch(ctx, "p", step.kind, []byte(step.body), metav1.PatchOptions{})
		if err != nil {
			t.Fatalf("%s: %v", step.kind, err)
		}
		if !slices.Equal(images(got), step.want) {
			t.Errorf("%s: %v, want %v", step.kind, images(got), step.want)
		}
	}
}

func TestRetryOnConflictLosesNothing(t *testing.T) {
	client := clientset(t, config(t))
	ctx, maps := deadline(t), client.CoreV1().ConfigMaps(namespace(t, client))
	if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "shared"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	const writers, writes = 4, 10
	failed := make(chan error, writers)
	for w := range writers {
		go func() {
			for i := range writes {
				err := retry.OnError(retry.DefaultBackoff, apierrors.IsConflict, func() error {
					m, err := maps.Get(ctx, "shared", metav1.GetOptions{})
					if err != nil {
						return err
					}
					if m.Data == nil {
						m.Data = map[string]string{}
					}
					m.Data[fmt.Sprintf("w%d-%d", w, i)] = "x"
					_, err = maps.Update(ctx, m, metav1.UpdateOptions{})
					return err
				})
				for apierrors.IsConflict(err) {
					err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
						_, err := maps.Patch(ctx, "shared", types.MergePatchType, fmt.Appendf(nil, `{"data":{"w%d-%d":"x"}}`, w, i), metav1.PatchOptions{})
						return err
					})
				}
				if err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range writers {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	if m, err := maps.Get(ctx, "shared", metav1.GetOptions{}); err != nil || len(m.Data) != writers*writes {
		t.Errorf("%d entries (%v), want %d", len(m.Data), err, writers*writes)
	}
}

func TestDynamic(t *testing.T) {
	c := config(t)
	client, err := dynamic.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, n := deadline(t), namespace(t, clientset(t, c))
	secrets := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(n)
	if _, err = clientset(t, c).CoreV1().Secrets(n).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "s"}, StringData: map[string]string{"k": "value"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := secrets.Get(ctx, "s", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(got.Object["data"]); string(text) != `{"k":"dmFsdWU="}` || got.Object["type"] != "Opaque" {
		t.Errorf("data %s, type %v; want stringData encoded and type Opaque", text, got.Object["type"])
	}
	if err = secrets.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	if list, err := secrets.List(ctx, metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
		t.Errorf("after deletecollection: %v, %v", list, err)
	}
}

func TestDiscovery(t *testing.T) {
	c := config(t)
	client := clientset(t, c)
	version, err := client.Discovery().ServerVersion()
	if err != nil || version.Major != "1" || version.Minor != "35" {
		t.Errorf("version %v, %v; want 1.35", version, err)
	}
	groups, lists, err := client.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	resources := 0
	for _, list := range lists {
		resources += len(list.APIResources)
	}
	if len(groups) < 20 || resources < 111 {
		t.Errorf("%d groups, %d resources", len(groups), resources)
	}
	if _, err = client.Discovery().OpenAPISchema(); err != nil {
		t.Errorf("openapi v2: %v", err)
	}
	paths, err := client.Discovery().OpenAPIV3().Paths()
	if err != nil || paths["api/v1"] == nil || paths["apis/apps/v1"] == nil {
		t.Errorf("openapi v3 paths: %d, %v", len(paths), err)
	}
}
