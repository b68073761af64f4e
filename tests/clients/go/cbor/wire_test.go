package cbor

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	upstream "github.com/fxamacker/cbor/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

func send(t *testing.T, client *http.Client, request *http.Request) (int, string, []byte) {
	t.Helper()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), body
}

func post(t *testing.T, c *rest.Config, path, contentType, accept string, body []byte) (int, string, []byte) {
	t.Helper()
	client, err := rest.HTTPClientFor(c)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, c.Host+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", accept)
	return send(t, client, request)
}

// sorted puts the entries of all maps of one data item into the order of upstream's deterministic form; an answer may
// have them in any order. Every other byte stays as it is.
func sorted(t *testing.T, item []byte) []byte {
	t.Helper()
	rest := item
	out := sortItem(t, &rest)
	if len(rest) != 0 {
		t.Fatalf("%d bytes after the item", len(rest))
	}
	return out
}

func sortItem(t *testing.T, in *[]byte) []byte {
	t.Helper()
	major, info := (*in)[0]>>5, (*in)[0]&31
	size := 1
	count := uint64(info)
	if info >= 24 && info <= 27 {
		count, size = 0, 1+1<<(info-24)
		for _, b := range (*in)[1:size] {
			count = count<<8 | uint64(b)
		}
	} else if info > 27 {
		t.Fatalf("an indefinite length: %s", hex.EncodeToString(*in))
	}
	out := slices.Clone((*in)[:size])
	*in = (*in)[size:]
	switch major {
	case 2, 3:
		out = append(out, (*in)[:count]...)
		*in = (*in)[count:]
	case 4:
		for range count {
			out = append(out, sortItem(t, in)...)
		}
	case 5:
		entries := make([][2][]byte, count)
		for i := range entries {
			entries[i] = [2][]byte{sortItem(t, in), sortItem(t, in)}
		}
		slices.SortFunc(entries, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
		for _, entry := range entries {
			out = append(append(out, entry[0]...), entry[1]...)
		}
	case 6:
		out = append(out, sortItem(t, in)...)
	}
	return out
}

// What the server writes is what upstream writes for the same object, byte for byte but for the order in maps.
func TestAnswersAreUpstreamsBytes(t *testing.T) {
	c, _ := config(t)
	client := clientset(t, c)
	ns, ctx := namespace(t, client), deadline(t)
	if _, err := client.AppsV1().Deployments(ns).Create(ctx, deployment("d"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 70000)
	if _, err := client.CoreV1().Secrets(ns).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Data: map[string][]byte{"k": {0, 0xff}, "long": []byte(long), "none": nil}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	serializer := cbor.NewSerializer(scheme.Scheme, scheme.Scheme)
	compared := 0
	compare := func(path string) {
		code, contentType, body := get(t, c, path, "application/cbor")
		if code != 200 || contentType != "application/cbor" {
			t.Fatalf("%s: %d %s %s", path, code, contentType, body)
		}
		object, _, err := serializer.Decode(body, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var expected bytes.Buffer
		if err := serializer.Encode(object, &expected); err != nil {
			t.Fatal(err)
		}
		if got := sorted(t, body); !bytes.Equal(got, expected.Bytes()) {
			t.Errorf("%s:\n got %s\nwant %s", path, diagnose(t, got), diagnose(t, expected.Bytes()))
		}
		compared++
	}
	for _, path := range []string{"/api/v1/namespaces/" + ns, "/api/v1/namespaces/" + ns + "/secrets/s", "/apis/apps/v1/namespaces/" + ns + "/deployments/d",
		"/api/v1/namespaces/" + ns + "/secrets", "/apis/apps/v1/deployments", "/api/v1/nodes", "/api/v1/services", "/api/v1/namespaces/kube-system/serviceaccounts",
		"/apis/rbac.authorization.k8s.io/v1/clusterroles", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", "/apis/scheduling.k8s.io/v1/priorityclasses",
		"/apis/coordination.k8s.io/v1/leases", "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/namespaces/" + ns + "/secrets/none",
		"/apis/apps/v1/namespaces/" + ns + "/deployments/d/scale"} {
		if strings.HasSuffix(path, "/none") {
			code, _, body := get(t, c, path, "application/cbor")
			object, _, err := serializer.Decode(body, nil, nil)
			if status, ok := object.(*metav1.Status); err != nil || !ok || code != 404 || status.Reason != metav1.StatusReasonNotFound {
				t.Errorf("%s: %d %v %v", path, code, object, err)
			}
			continue
		}
		compare(path)
	}
	if compared < 14 {
		t.Errorf("%d documents compared", compared)
	}
}

func diagnose(t *testing.T, item []byte) string {
	t.Helper()
	text, err := upstream.Diagnose(item)
	if err != nil {
		return hex.EncodeToString(item)
	}
	if len(text) > 4000 {
		text = text[:4000] + "…"
	}
	return text
}

func TestTablesAndNegotiation(t *testing.T) {
	c, _ := config(t)
	for _, test := range []struct {
		path, accept string
		code         int
		contentType  string
		kind, text   string
	}{
		{"/api/v1/namespaces", "application/cbor;as=Table;g=meta.k8s.io;v=v1", 200, "application/cbor", "Table", ""},
		{"/api/v1/namespaces/default", "application/cbor;as=Table;g=meta.k8s.io;v=v1", 200, "application/cbor", "Table", ""},
		{"/api/v1/namespaces", "application/cbor;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", 200, "application/cbor", "PartialObjectMetadataList", ""},
		{"/api/v1/namespaces/default", "application/cbor;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", 200, "application/cbor", "PartialObjectMetadata", ""},
		{"/api/v1", "application/cbor", 200, "application/cbor", "APIResourceList", ""},
		{"/api/v1/namespaces", "application/cbor, application/json", 200, "application/cbor", "NamespaceList", ""},
		{"/api/v1/namespaces", "application/json, application/cbor", 200, "application/json", "NamespaceList", ""},
		{"/api/v1/namespaces", "application/xml", 406, "application/json", "Status", "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor"},
		{"/api/v1/namespaces/none", "application/cbor", 404, "application/cbor", "Status", "not found"},
		{"/api/v1/namespaces?limit=x", "application/cbor", 400, "application/cbor", "Status", "ParseInt"},
		{"/api/v1/namespaces?watch=1", "application/cbor-seq", 406, "application/json", "Status", "only the following media types are accepted"},
		{"/apis", "application/cbor", 406, "application/json", "Status", "application/vnd.kubernetes.protobuf"},
	} {
		code, contentType, body := get(t, c, test.path, test.accept)
		if code != test.code || contentType != test.contentType {
			t.Errorf("%s %s: %d %s %s", test.path, test.accept, code, contentType, body)
			continue
		}
		var document map[string]any
		var err error
		if contentType == "application/cbor" {
			err = direct.Unmarshal(body, &document)
		} else {
			err = json.Unmarshal(body, &document)
		}
		message, _ := document["message"].(string)
		if err != nil || document["kind"] != test.kind || !strings.Contains(message, test.text) {
			t.Errorf("%s %s: %v %v", test.path, test.accept, document, err)
		}
	}
}

// A watch answers in a sequence of items, tables and bookmarks too.
func TestWatchOfTables(t *testing.T) {
	c, _ := config(t)
	for _, accept := range []string{"application/cbor;as=Table;g=meta.k8s.io;v=v1", "application/cbor;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"} {
		code, contentType, body := get(t, c, "/api/v1/namespaces?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", accept)
		if code != 200 || contentType != "application/cbor-seq" {
			t.Fatalf("%d %s %s", code, contentType, body)
		}
		types := map[string]int{}
		for decoder := upstream.NewDecoder(bytes.NewReader(body)); ; {
			var raw upstream.RawMessage
			if err := decoder.Decode(&raw); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			var event metav1.WatchEvent
			if err := direct.Unmarshal(raw, &event); err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(event.Object.Raw, []byte{0xd9, 0xd9, 0xf7}) {
				t.Errorf("an object without the tag: %x", event.Object.Raw)
			}
			types[event.Type]++
		}
		if types["ADDED"] < 4 || types["BOOKMARK"] == 0 {
			t.Errorf("%s: %v", accept, types)
		}
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	c, _ := config(t)
	client := clientset(t, c)
	ns := namespace(t, client)
	encode := func(v any) []byte {
		out, err := direct.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	object := func(more map[string]any) []byte {
		o := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x"}}
		for k, v := range more {
			o[k] = v
		}
		return encode(o)
	}
	path := "/api/v1/namespaces/" + ns + "/configmaps?dryRun=All&fieldValidation="
	for _, test := range []struct {
		name, validation string
		body             []byte
		code             int
		message          string
	}{
		{"cut off", "", object(nil)[:20], 400, "the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: unexpected EOF ("},
		{"not CBOR", "", []byte(`{"kind":"ConfigMap"}`), 400, "the object provided is unrecognized (must be of type ConfigMap): unable to determine group/version/kind: "},
		{"empty", "", nil, 400, "unable to determine group/version/kind: EOF"},
		{"a key twice", "", []byte("\xa2\x44kind\x49ConfigMap\x44kind\x49ConfigMap"), 400, `cbor: found duplicate map key "kind" at map element index 1`},
		{"unknown field", "Strict", object(map[string]any{"zz": 1}), 400, `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: cbor: found unknown field at map element index 0`},
		{"unknown field, ignored", "Ignore", object(map[string]any{"zz": 1}), 201, ""},
		{"wrong type", "", object(map[string]any{"data": "text"}), 400, `ConfigMap in version "v1" cannot be handled as a ConfigMap: cbor: cannot unmarshal byte string into Go struct field v1.ConfigMap.data of type map[string]string`},
		{"wrong type of kind", "", encode(map[string]any{"kind": 1}), 400, "cbor: cannot unmarshal positive integer into Go struct field v1.TypeMeta.kind of type string"},
		{"other kind", "", encode(map[string]any{"apiVersion": "v1", "kind": "Secret"}), 400, `Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion`},
	} {
		code, contentType, body := post(t, c, path+test.validation, "application/cbor", "application/cbor", test.body)
		var status map[string]any
		err := direct.Unmarshal(body, &status)
		message, _ := status["message"].(string)
		if code != test.code || contentType != "application/cbor" || err != nil || !strings.Contains(message, test.message) {
			t.Errorf("%s: %d %s %v %v", test.name, code, contentType, status, err)
		}
	}
	code, _, body := post(t, c, path, "application/xml", "application/json", []byte("<x/>"))
	if code != 415 || !strings.Contains(string(body), "accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor") {
		t.Errorf("%d %s", code, body)
	}
}
