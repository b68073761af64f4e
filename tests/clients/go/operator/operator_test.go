package operator

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	patience = 40 * time.Second
	lease    = "site-operator"
)

type site struct {
	client.Client
	t         *testing.T
	config    *rest.Config
	scheme    *runtime.Scheme
	namespace string
}

func newSite(t *testing.T) *site {
	path := os.Getenv("KEELSON_KUBECONFIG")
	if path == "" {
		t.Skip("KEELSON_KUBECONFIG is not set: run ./dev clients")
	}
	ctrl.SetLogger(logr.Discard())
	s := &site{t: t, scheme: runtime.NewScheme(), namespace: fmt.Sprintf("operator-%d", os.Getpid())}
	must(t, clientgoscheme.AddToScheme(s.scheme))
	must(t, apiextensionsv1.AddToScheme(s.scheme))
	addToScheme(s.scheme)
	var err error
	s.config, err = clientcmd.BuildConfigFromFlags("", path)
	must(t, err)
	s.config.QPS, s.config.Burst = 1000, 1000
	s.Client, err = client.New(s.config, client.Options{Scheme: s.scheme})
	must(t, err)
	s.install()
	must(t, s.Create(s.deadline(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}))
	t.Cleanup(func() {
		_ = s.Delete(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) deadline() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *site) eventually(what string, good func() error) {
	s.t.Helper()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if last = good(); last == nil {
			return
		}
	}
	s.t.Fatalf("%s: %v", what, last)
}

// install makes the definition and waits until it is served.
func (s *site) install() {
	object := func(properties map[string]apiextensionsv1.JSONSchemaProps, required ...string) apiextensionsv1.JSONSchemaProps {
		return apiextensionsv1.JSONSchemaProps{Type: "object", Properties: properties, Required: required}
	}
	conditions := apiextensionsv1.JSONSchemaProps{Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{
		Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(bool)}}}
	*conditions.Items.Schema.XPreserveUnknownFields = true
	minimum := 0.0
	schema := object(map[string]apiextensionsv1.JSONSchemaProps{
		"spec": object(map[string]apiextensionsv1.JSONSchemaProps{
			"replicas": {Type: "integer", Format: "int32", Minimum: &minimum}, "image": {Type: "string"}}, "replicas", "image"),
		"status": object(map[string]apiextensionsv1.JSONSchemaProps{
			"ready": {Type: "integer", Format: "int32"}, "conditions": conditions}),
	}, "spec")
	definition := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "sites.keelson.example"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: groupVersion.Group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "sites", Singular: "site", Kind: "Site", ListKind: "SiteList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: groupVersion.Version, Served: true, Storage: true,
				Schema:       &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &schema},
				Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
			}},
		},
	}
	must(s.t, s.Create(s.deadline(), definition))
	s.t.Cleanup(func() { _ = s.Delete(context.Background(), definition) })
	s.eventually("the definition is served", func() error { return s.List(s.deadline(), &SiteList{}) })
}

// operate runs an operator that works while it leads; the function it returns stops it and waits for its end.
func (s *site) operate(identity string) func() {
	patient := func(d time.Duration) *time.Duration { return &d }
	anyName := true
	manager, err := ctrl.NewManager(s.config, ctrl.Options{
		Scheme: s.scheme, Metrics: server.Options{BindAddress: "0"}, Controller: config.Controller{SkipNameValidation: &anyName},
		LeaderElection: true, LeaderElectionID: lease, LeaderElectionNamespace: s.namespace, LeaderElectionReleaseOnCancel: true,
		LeaseDuration: patient(6 * time.Second), RenewDeadline: patient(4 * time.Second), RetryPeriod: patient(500 * time.Millisecond),
	})
	must(s.t, err)
	must(s.t, ctrl.NewControllerManagedBy(manager).For(&Site{}).Owns(&appsv1.Deployment{}).Complete(
		&reconciler{Client: manager.GetClient(), identity: identity}))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	return func() {
		stop()
		select {
		case err := <-ended:
			must(s.t, err)
		case <-time.After(patience):
			s.t.Fatal("the operator does not end")
		}
	}
}

func (s *site) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.namespace, Name: name}
}

func (s *site) ready(name string, replicas int32) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%s is ready with %d", name, replicas), func() error {
		got := &Site{}
		if err := s.Get(s.deadline(), s.key(name), got); err != nil {
			return err
		}
		ready := meta.FindStatusCondition(got.Status.Conditions, "Ready")
		if got.Status.Ready != replicas || ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != got.Generation {
			return fmt.Errorf("generation %d, status %+v", got.Generation, got.Status)
		}
		return nil
	})
}

func (s *site) gone(object client.Object, name string) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%T %s is gone", object, name), func() error {
		err := s.Get(s.deadline(), s.key(name), object)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there (%v): %+v", err, object)
	})
}

func TestOperator(t *testing.T) {
	s := newSite(t)
	stopFirst := s.operate("first")
	must(t, s.Create(s.deadline(), &Site{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: s.namespace}, Spec: SiteSpec{Replicas: 2, Image: "v1"}}))
	s.ready("a", 2)
	stopSecond := s.operate("second") // waits for its turn

	// What others change of the Deployment is put back.
	deployment := &appsv1.Deployment{}
	must(t, s.Get(s.deadline(), s.key("a"), deployment))
	if owner := metav1.GetControllerOf(deployment); owner == nil || owner.Kind != "Site" {
		t.Fatalf("the Deployment's owner is %+v", owner)
	}
	must(t, s.Patch(s.deadline(), deployment, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"replicas":5}}`))))
	s.eventually("the Deployment has 2 replicas again", func() error {
		must(t, s.Get(s.deadline(), s.key("a"), deployment))
		if *deployment.Spec.Replicas != 2 {
			return fmt.Errorf("%d", *deployment.Spec.Replicas)
		}
		return nil
	})

	// The first gives the lease back when it ends, and the second goes on.
	stopFirst()
	must(t, s.Patch(s.deadline(), &Site{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: s.namespace}},
		client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"replicas":3,"image":"v2"}}`))))
	s.ready("a", 3)
	record := &corev1.ConfigMap{}
	must(t, s.Get(s.deadline(), s.key("a-record"), record))
	if record.Data["by"] != "second" || record.Data["image"] != "v2" {
		t.Fatalf("the record is %v", record.Data)
	}
	held := &coordinationv1.Lease{}
	must(t, s.Get(s.deadline(), s.key(lease), held))
	if *held.Spec.LeaseTransitions < 1 {
		t.Fatalf("the lease is %+v", held.Spec)
	}

	// The finalizer works before the Site goes, and what it owned goes with it.
	must(t, s.Delete(s.deadline(), &Site{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: s.namespace}}))
	s.gone(&Site{}, "a")
	s.gone(&corev1.ConfigMap{}, "a-record")
	s.gone(&appsv1.Deployment{}, "a")
	stopSecond()
}
