package cbor

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	autoscalingv1ac "k8s.io/client-go/applyconfigurations/autoscaling/v1"
	"k8s.io/client-go/dynamic"
	typedapps "k8s.io/client-go/kubernetes/typed/apps/v1"
	"k8s.io/client-go/util/retry"
)

func deployment(name string) *appsv1.Deployment {
	replicas, unavailable := int32(2), intstr.FromString("25%")
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{
				Type:          appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &unavailable},
			},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example/none"}}},
			},
		},
	}
}

func TestTypedClientSpeaksCBOR(t *testing.T) {
	c, w := config(t)
	c.ContentType, c.AcceptContentTypes = runtime.ContentTypeCBOR, runtime.ContentTypeCBOR
	client := clientset(t, c)
	ctx, ns := deadline(t), namespace(t, client)
	secrets, deployments := client.CoreV1().Secrets(ns), client.AppsV1().Deployments(ns)

	// Bytes stay bytes, whatever they are.
	data := []byte{0, 1, 0xff, 0xd9, '"'}
	secret, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"k": data}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if string(secret.Data["k"]) != string(data) || secret.UID == "" || secret.CreationTimestamp.IsZero() {
		t.Errorf("created: %+v", secret)
	}
	if _, err = secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}}, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("second create: %v, want AlreadyExists", err)
	}

	watcher, err := deployments.Watch(ctx, metav1.ListOptions{ResourceVersion: secret.ResourceVersion, AllowWatchBookmarks: true})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	made, err := deployments.Create(ctx, deployment("d"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if made.Spec.Strategy.RollingUpdate.MaxUnavailable.String() != "25%" || *made.Spec.RevisionHistoryLimit != 10 {
		t.Errorf("created: %+v", made.Spec)
	}
	event := next(t, watcher)
	if seen, ok := event.Object.(*appsv1.Deployment); event.Type != watch.Added || !ok || seen.UID != made.UID || len(seen.ManagedFields) == 0 {
		t.Errorf("watch saw %+v", event)
	}
	changeDeployment(t, deployments, ns)
	list, err := deployments.List(ctx, metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 || *list.Items[0].Spec.Replicas != 5 || list.ResourceVersion == "" {
		t.Errorf("list: %+v, %v", list, err)
	}
	uid := types.UID("other")
	if err = deployments.Delete(ctx, "d", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}); !apierrors.IsConflict(err) {
		t.Errorf("delete with another UID: %v, want Conflict", err)
	}
	if err = deployments.Delete(ctx, "d", *metav1.NewDeleteOptions(0)); err != nil {
		t.Error(err)
	}
	if _, err = secrets.Get(ctx, "none", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("get: %v, want NotFound", err)
	}
	if err = secrets.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	w.mu.Lock()
	for i, line := range w.seen { // a patch other than apply is JSON by its nature
		if len(line) > 5 && line[:5] == "PATCH" {
			w.seen[i] = line[:6] + "got application/cbor"
		}
	}
	w.mu.Unlock()
	w.only(t)
}

// changeDeployment changes the deployment "d" by every verb that changes one, and leaves five replicas.
func changeDeployment(t *testing.T, deployments typedapps.DeploymentInterface, ns string) {
	t.Helper()
	ctx := deadline(t)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error { // its controller writes too
		made, err := deployments.Get(ctx, "d", metav1.GetOptions{})
		if err != nil {
			return err
		}
		made.Spec.Paused = true
		_, err = deployments.Update(ctx, made, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	patched, err := deployments.Patch(ctx, "d", types.StrategicMergePatchType, []byte(`{"spec":{"minReadySeconds":3}}`), metav1.PatchOptions{})
	if err != nil || patched.Spec.MinReadySeconds != 3 || !patched.Spec.Paused {
		t.Errorf("patch: %+v, %v", patched, err)
	}
	applied, err := deployments.Apply(ctx, appsv1ac.Deployment("d", ns).WithSpec(appsv1ac.DeploymentSpec().WithProgressDeadlineSeconds(77)), metav1.ApplyOptions{FieldManager: "cbor", Force: true})
	if err != nil || *applied.Spec.ProgressDeadlineSeconds != 77 {
		t.Errorf("apply: %+v, %v", applied, err)
	}
	scale, err := deployments.GetScale(ctx, "d", metav1.GetOptions{})
	if err != nil || scale.Spec.Replicas != 2 {
		t.Fatalf("scale: %+v, %v", scale, err)
	}
	if scale, err = deployments.ApplyScale(ctx, "d", autoscalingv1ac.Scale().WithName("d").WithSpec(autoscalingv1ac.ScaleSpec().WithReplicas(4)), metav1.ApplyOptions{FieldManager: "cbor", Force: true}); err != nil || scale.Spec.Replicas != 4 {
		t.Errorf("apply of the scale: %+v, %v", scale, err)
	}
	scale.Spec.Replicas, scale.ResourceVersion = 5, ""
	if scale, err = deployments.UpdateScale(ctx, "d", scale, metav1.UpdateOptions{}); err != nil || scale.Spec.Replicas != 5 {
		t.Errorf("update of the scale: %+v, %v", scale, err)
	}
}

func next(t *testing.T, w watch.Interface) watch.Event {
	t.Helper()
	select {
	case event, open := <-w.ResultChan():
		if !open {
			t.Fatal("the watch ended")
		}
		return event
	case <-deadline(t).Done():
		t.Fatal("no event came")
	}
	panic("unreachable")
}

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func TestDynamicClientSpeaksCBOR(t *testing.T) {
	c, w := config(t)
	plain, _ := config(t)
	ns := namespace(t, clientset(t, plain))
	client, err := dynamic.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	exercise(t, client.Resource(configMaps).Namespace(ns), func(name string, value any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"name": name}, "data": map[string]any{"key": fmt.Sprint(value)},
		}}
	}, "data", "key")
	w.only(t)
}

func TestCustomResourcesInCBOR(t *testing.T) {
	c, w := config(t)
	plain, _ := config(t)
	ns := namespace(t, clientset(t, plain))
	client, err := dynamic.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	define(t, client)
	exercise(t, client.Resource(widgets).Namespace(ns), widget, "spec", "size")
	w.mu.Lock()
	w.seen = nil
	w.mu.Unlock()
	subresources(t, client.Resource(widgets).Namespace(ns))
	w.only(t)
}

// exercise takes objects through every verb. `make` gives one whose field at the path is the value.
func exercise(t *testing.T, client dynamic.ResourceInterface, object func(string, any) *unstructured.Unstructured, path ...string) {
	t.Helper()
	ctx := deadline(t)
	field := func(u *unstructured.Unstructured) string {
		value, _, _ := unstructured.NestedFieldNoCopy(u.Object, path...)
		return fmt.Sprint(value)
	}
	made, err := client.Create(ctx, object("a", int64(1)), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if field(made) != "1" || made.GetUID() == "" {
		t.Errorf("created: %v", made)
	}
	watcher, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: made.GetResourceVersion()})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if err := unstructured.SetNestedField(made.Object, object("a", int64(2)).Object[path[0]], path[0]); err != nil {
		t.Fatal(err)
	}
	if made, err = client.Update(ctx, made, metav1.UpdateOptions{}); err != nil || field(made) != "2" {
		t.Errorf("update: %v, %v", made, err)
	}
	if event := next(t, watcher); event.Type != watch.Modified || field(event.Object.(*unstructured.Unstructured)) != "2" {
		t.Errorf("watch saw %+v", event)
	}
	applied, err := client.Apply(ctx, "a", object("a", int64(3)), metav1.ApplyOptions{FieldManager: "cbor", Force: true})
	if err != nil || field(applied) != "3" {
		t.Errorf("apply: %v, %v", applied, err)
	}
	if _, err = client.Apply(ctx, "a", object("a", int64(4)), metav1.ApplyOptions{FieldManager: "other"}); !apierrors.IsConflict(err) {
		t.Errorf("apply of another's field: %v, want Conflict", err)
	}
	if _, err = client.Apply(ctx, "b", object("b", int64(5)), metav1.ApplyOptions{FieldManager: "cbor"}); err != nil {
		t.Errorf("apply that creates: %v", err)
	}
	list, err := client.List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil || len(list.Items) != 1 || list.GetContinue() == "" || list.Items[0].GetKind() != made.GetKind() {
		t.Errorf("list: %v, %v", list, err)
	}
	if err = client.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if _, err = client.Get(ctx, "a", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("get after delete: %v, want NotFound", err)
	}
}

var widgets = schema.GroupVersionResource{Group: "cbor.example.com", Version: "v1", Resource: "widgets"}

func widget(name string, size any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cbor.example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"size": size, "ratio": 0.1, "free": map[string]any{"a": []any{nil, true, "ü\n", map[string]any{}}}},
	}}
}

func define(t *testing.T, client dynamic.Interface) {
	t.Helper()
	open := true
	definition := apiextensionsv1.CustomResourceDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.cbor.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "cbor.example.com",
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
			Scope: apiextensionsv1.NamespaceScoped,
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensionsv1.JSONSchemaProps{
						"spec": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
							"size":  {Type: "integer", Default: &apiextensionsv1.JSON{Raw: []byte("7")}},
							"ratio": {Type: "number"},
							"free":  {Type: "object", XPreserveUnknownFields: &open},
						}},
						"status": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"seen": {Type: "integer"}}},
					},
				}},
				Subresources: &apiextensionsv1.CustomResourceSubresources{
					Status: &apiextensionsv1.CustomResourceSubresourceStatus{},
					Scale:  &apiextensionsv1.CustomResourceSubresourceScale{SpecReplicasPath: ".spec.size", StatusReplicasPath: ".status.seen"},
				},
			}},
		},
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&definition)
	if err != nil {
		t.Fatal(err)
	}
	delete(content, "status")
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	if _, err = definitions.Create(deadline(t), &unstructured.Unstructured{Object: content}, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	for ctx := deadline(t); ; {
		if _, err = client.Resource(widgets).List(ctx, metav1.ListOptions{}); err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("widgets are not served: %v", err)
		}
	}
}

func subresources(t *testing.T, client dynamic.ResourceInterface) {
	t.Helper()
	ctx := deadline(t)
	made, err := client.Create(ctx, widget("sub", int64(2)), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	made.Object["status"] = map[string]any{"seen": int64(4)}
	if made, err = client.UpdateStatus(ctx, made, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	scale, err := client.Get(ctx, "sub", metav1.GetOptions{}, "scale")
	if err != nil {
		t.Fatal(err)
	}
	seen, _, _ := unstructured.NestedInt64(scale.Object, "status", "replicas")
	wanted, _, _ := unstructured.NestedInt64(scale.Object, "spec", "replicas")
	if seen != 4 || wanted != 2 || scale.GetKind() != "Scale" {
		t.Errorf("scale: %v", scale)
	}
}
