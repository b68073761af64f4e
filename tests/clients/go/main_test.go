// Tests of the program through client-go. tests/clients/run.py starts the program and sets KEELSON_KUBECONFIG.
package clients

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const patience = 20 * time.Second

var namespaces atomic.Int32

// config skips when there is no program to test.
func config(t *testing.T) *rest.Config {
	t.Helper()
	path := os.Getenv("KEELSON_KUBECONFIG")
	if path == "" {
		t.Skip("KEELSON_KUBECONFIG is not set: run ./dev clients")
	}
	c, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	c.QPS, c.Burst = 1000, 1000
	return c
}

// encodings runs the test with JSON and with protobuf.
func encodings(t *testing.T, run func(t *testing.T, client *kubernetes.Clientset)) {
	for _, contentType := range []string{"application/json", "application/vnd.kubernetes.protobuf"} {
		t.Run(contentType, func(t *testing.T) {
			c := config(t)
			c.ContentType, c.AcceptContentTypes = contentType, contentType
			run(t, clientset(t, c))
		})
	}
}

func clientset(t *testing.T, c *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// namespace makes one for this test and removes it afterwards.
func namespace(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	name := fmt.Sprintf("go-%d-%d", os.Getpid(), namespaces.Add(1))
	_, err := client.CoreV1().Namespaces().Create(deadline(t), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("namespace: %v", err)
	}
	t.Cleanup(func() {
		_ = client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
	})
	return name
}

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "go-test"}},
		Data:       map[string]string{"key": value},
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}
