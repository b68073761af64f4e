// Tests of CBOR through client-go, against a program whose gate CBORServingAndStorage is on. tests/clients/run.py
// starts it and sets KEELSON_CBOR_KUBECONFIG.
package cbor

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
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

func TestMain(m *testing.M) {
	// Before the first client: client-go reads its gates once.
	for _, gate := range []string{"ClientsAllowCBOR", "ClientsPreferCBOR"} {
		if err := os.Setenv("KUBE_FEATURE_"+gate, "true"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// wire remembers what went over the connection, so that a test knows that it was CBOR.
type wire struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := w.next.RoundTrip(request)
	if err == nil {
		w.mu.Lock()
		w.seen = append(w.seen, fmt.Sprintf("%s %s: sent %s, got %s", request.Method, request.URL.Path,
			request.Header.Get("Content-Type"), response.Header.Get("Content-Type")))
		w.mu.Unlock()
	}
	return response, err
}

// only fails the test if something was sent or answered that is not CBOR.
func (w *wire) only(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		t.Error("nothing was sent")
	}
	for _, line := range w.seen {
		if !strings.Contains(line, "got application/cbor") || strings.Contains(line, "json") || strings.Contains(line, "yaml") {
			t.Errorf("not in CBOR: %s", line)
		}
	}
}

func config(t *testing.T) (*rest.Config, *wire) {
	t.Helper()
	path := os.Getenv("KEELSON_CBOR_KUBECONFIG")
	if path == "" {
		t.Skip("KEELSON_CBOR_KUBECONFIG is not set: run ./dev clients")
	}
	c, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	c.QPS, c.Burst = 1000, 1000
	w := &wire{}
	c.Wrap(func(next http.RoundTripper) http.RoundTripper {
		w.next = next
		return w
	})
	return c, w
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

func namespace(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	name := fmt.Sprintf("cbor-%d-%d", os.Getpid(), namespaces.Add(1))
	_, err := client.CoreV1().Namespaces().Create(deadline(t), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("namespace: %v", err)
	}
	t.Cleanup(func() {
		_ = client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
	})
	return name
}

func get(t *testing.T, c *rest.Config, path, accept string) (int, string, []byte) {
	t.Helper()
	client, err := rest.HTTPClientFor(c)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodGet, c.Host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	return send(t, client, request)
}
