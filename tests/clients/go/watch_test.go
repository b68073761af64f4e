package clients

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// next takes the next event of a ConfigMap, "TYPE name".
func next(t *testing.T, w watch.Interface) (string, string) {
	t.Helper()
	select {
	case e, open := <-w.ResultChan():
		if !open {
			t.Fatal("the watch ended")
		}
		m, ok := e.Object.(*corev1.ConfigMap)
		if !ok {
			t.Fatalf("event %s of %T: %v", e.Type, e.Object, apierrors.FromObject(e.Object))
		}
		return string(e.Type) + " " + m.Name, m.ResourceVersion
	case <-time.After(patience):
		t.Fatal("no event")
	}
	return "", ""
}

func TestWatchResumesFromItsRevision(t *testing.T) {
	encodings(t, func(t *testing.T, client *kubernetes.Clientset) {
		ctx, maps := deadline(t), client.CoreV1().ConfigMaps(namespace(t, client))
		list, err := maps.List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		first, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion, LabelSelector: "app=go-test"})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = maps.Create(ctx, configMap("a", "1"), metav1.CreateOptions{})
		event, revision := next(t, first)
		if event != "ADDED a" {
			t.Errorf("first event %q", event)
		}
		first.Stop()
		_, _ = maps.Create(ctx, configMap("b", "1"), metav1.CreateOptions{})
		_, _ = maps.Update(ctx, configMap("a", "2"), metav1.UpdateOptions{})
		_ = maps.Delete(ctx, "b", metav1.DeleteOptions{})
		second, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: revision, LabelSelector: "app=go-test"})
		if err != nil {
			t.Fatal(err)
		}
		defer second.Stop()
		var got []string
		for range 3 {
			event, _ := next(t, second)
			got = append(got, event)
		}
		if want := []string{"ADDED b", "MODIFIED a", "DELETED b"}; !slices.Equal(got, want) {
			t.Errorf("after the break: %v, want %v", got, want)
		}
	})
}

func TestWatchListStreamsThenMarksTheEnd(t *testing.T) {
	client := clientset(t, config(t))
	ctx, maps := deadline(t), client.CoreV1().ConfigMaps(namespace(t, client))
	for i := range 3 {
		if _, err := maps.Create(ctx, configMap(fmt.Sprintf("m%d", i), "x"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	yes := true
	w, err := maps.Watch(ctx, metav1.ListOptions{SendInitialEvents: &yes, AllowWatchBookmarks: true, LabelSelector: "app=go-test",
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	added := 0
	for e := range w.ResultChan() {
		m, ok := e.Object.(*corev1.ConfigMap)
		if !ok {
			t.Fatalf("%s of %T", e.Type, e.Object)
		}
		if e.Type == watch.Added {
			added++
		} else if e.Type == watch.Bookmark && m.Annotations[metav1.InitialEventsAnnotationKey] == "true" {
			break
		}
	}
	if added != 3 {
		t.Errorf("%d initial events, want 3", added)
	}
}

func TestInformerFollowsChanges(t *testing.T) {
	encodings(t, func(t *testing.T, client *kubernetes.Clientset) {
		n := namespace(t, client)
		ctx, cancel := context.WithCancel(deadline(t))
		factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(n))
		maps := factory.Core().V1().ConfigMaps()
		var mutex sync.Mutex
		counts := map[string]int{}
		count := func(what string) { mutex.Lock(); counts[what]++; mutex.Unlock() }
		_, _ = maps.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { count("add") },
			UpdateFunc: func(any, any) { count("update") },
			DeleteFunc: func(any) { count("delete") },
		})
		if _, err := client.CoreV1().ConfigMaps(n).Create(ctx, configMap("before", "1"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		factory.Start(ctx.Done())
		defer factory.Shutdown()
		defer cancel()
		if !cache.WaitForCacheSync(ctx.Done(), maps.Informer().HasSynced) {
			t.Fatal("the informer did not sync")
		}
		for i := range 20 {
			if _, err := client.CoreV1().ConfigMaps(n).Create(ctx, configMap(fmt.Sprintf("m%d", i), "1"), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = client.CoreV1().ConfigMaps(n).Update(ctx, configMap("m0", "2"), metav1.UpdateOptions{})
		_ = client.CoreV1().ConfigMaps(n).Delete(ctx, "m1", metav1.DeleteOptions{})
		selector := labels.SelectorFromSet(labels.Set{"app": "go-test"})
		eventually(t, "the cache shows 20 objects and every change was told", func() bool {
			items, _ := maps.Lister().ConfigMaps(n).List(selector)
			mutex.Lock()
			defer mutex.Unlock()
			return len(items) == 20 && counts["add"] >= 21 && counts["update"] >= 1 && counts["delete"] == 1
		})
	})
}

func TestLeaderElectionHandsOver(t *testing.T) {
	client := clientset(t, config(t))
	n := namespace(t, client)
	led := make(chan string, 4)
	run := func(name string) context.CancelFunc {
		ctx, cancel := context.WithCancel(deadline(t))
		lock := &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Name: "leader", Namespace: n}, Client: client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name}}
		go leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { led <- name }, OnStoppedLeading: func() {}},
		})
		return cancel
	}
	expect := func(name string) {
		t.Helper()
		select {
		case got := <-led:
			if got != name {
				t.Fatalf("%s leads, want %s", got, name)
			}
		case <-time.After(patience):
			t.Fatalf("%s does not lead", name)
		}
	}
	stop := run("first")
	expect("first")
	defer run("second")()
	select {
	case name := <-led:
		t.Fatalf("%s leads beside the first", name)
	case <-time.After(time.Second):
	}
	stop()
	expect("second")
}

func TestServerSideApply(t *testing.T) {
	client := clientset(t, config(t))
	ctx, ns := deadline(t), namespace(t, client)
	maps := client.CoreV1().ConfigMaps(ns)
	one, err := maps.Apply(ctx, applycorev1.ConfigMap("applied", ns).WithData(map[string]string{"a": "1"}), metav1.ApplyOptions{FieldManager: "one"})
	if err != nil || one.Data["a"] != "1" {
		t.Fatalf("apply creates: %v, %v", one, err)
	}
	_, err = maps.Apply(ctx, applycorev1.ConfigMap("applied", ns).WithData(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two"})
	if !apierrors.IsConflict(err) {
		t.Fatalf("another manager's apply: %v, want Conflict", err)
	}
	two, err := maps.Apply(ctx, applycorev1.ConfigMap("applied", ns).WithData(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil || two.Data["a"] != "2" {
		t.Fatalf("forced apply: %v, %v", two, err)
	}
	gone, err := maps.Apply(ctx, applycorev1.ConfigMap("applied", ns), metav1.ApplyOptions{FieldManager: "two"})
	if err != nil || len(gone.Data) != 0 {
		t.Fatalf("apply without the field: %v, %v", gone, err)
	}
}
