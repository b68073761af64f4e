// Package operator is an operator as people write them, with controller-runtime: a Site is served by a Deployment that it owns.
package operator

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const finalizer = "sites.keelson.example/record"

var groupVersion = schema.GroupVersion{Group: "keelson.example", Version: "v1"}

// SiteSpec says what is wanted.
type SiteSpec struct {
	Replicas int32  `json:"replicas"`
	Image    string `json:"image"`
}

// SiteStatus says what is there.
type SiteStatus struct {
	Ready      int32              `json:"ready"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Site is the custom resource.
type Site struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              SiteSpec   `json:"spec"`
	Status            SiteStatus `json:"status,omitempty"`
}

// DeepCopyObject makes it a runtime.Object.
func (s *Site) DeepCopyObject() runtime.Object {
	out := *s
	s.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = append([]metav1.Condition(nil), s.Status.Conditions...)
	return &out
}

// SiteList is what a LIST answers with.
type SiteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Site `json:"items"`
}

// DeepCopyObject makes it a runtime.Object.
func (l *SiteList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = nil
	for i := range l.Items {
		out.Items = append(out.Items, *l.Items[i].DeepCopyObject().(*Site))
	}
	return &out
}

func addToScheme(s *runtime.Scheme) {
	s.AddKnownTypes(groupVersion, &Site{}, &SiteList{})
	metav1.AddToGroupVersion(s, groupVersion)
}

// reconciler keeps a Deployment for each Site, and a record of it that outlives the Deployment: the finalizer removes it.
type reconciler struct {
	client.Client
	identity string
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	site := &Site{}
	if err := r.Get(ctx, request.NamespacedName, site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	record := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: site.Name + "-record", Namespace: site.Namespace}}
	if !site.DeletionTimestamp.IsZero() {
		if !controllerutil.ContainsFinalizer(site, finalizer) {
			return ctrl.Result{}, nil
		}
		if err := client.IgnoreNotFound(r.Delete(ctx, record)); err != nil {
			return ctrl.Result{}, err
		}
		controllerutil.RemoveFinalizer(site, finalizer)
		return ctrl.Result{}, client.IgnoreNotFound(r.Update(ctx, site))
	}
	if controllerutil.AddFinalizer(site, finalizer) {
		return ctrl.Result{}, ignoreConflict(r.Update(ctx, site))
	}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, record, func() error {
		record.Data = map[string]string{"image": site.Spec.Image, "by": r.identity}
		return nil
	}); err != nil {
		return ctrl.Result{}, ignoreConflict(err)
	}
	return ctrl.Result{}, ignoreConflict(r.serve(ctx, site))
}

// serve brings the Deployment to what the Site wants, and the Site's status to what the Deployment shows.
func (r *reconciler) serve(ctx context.Context, site *Site) error {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: site.Namespace}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		labels := map[string]string{"site": site.Name}
		deployment.Spec.Replicas = &site.Spec.Replicas
		deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		deployment.Spec.Template.Labels = labels
		if len(deployment.Spec.Template.Spec.Containers) == 0 {
			deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web"}}
		}
		deployment.Spec.Template.Spec.Containers[0].Image = site.Spec.Image
		return controllerutil.SetControllerReference(site, deployment, r.Scheme())
	}); err != nil {
		return err
	}
	before := site.DeepCopyObject().(*Site)
	site.Status.Ready = deployment.Status.ReadyReplicas
	condition := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Waiting", ObservedGeneration: site.Generation}
	if site.Status.Ready == site.Spec.Replicas {
		condition.Status, condition.Reason = metav1.ConditionTrue, "AllReady"
	}
	meta.SetStatusCondition(&site.Status.Conditions, condition)
	return client.IgnoreNotFound(r.Status().Patch(ctx, site, client.MergeFrom(before)))
}

// ignoreConflict: what came between will call again.
func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
