package cbor

import (
	"bytes"
	"encoding/hex"
	"math/rand"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/client-go/kubernetes/scheme"
)

// Bodies that are damaged at random are taken or refused as upstream's decoder takes or refuses them, in its words.
func TestDamagedBodiesAreRefusedAsUpstreamDoes(t *testing.T) {
	c, _ := config(t)
	ns := namespace(t, clientset(t, c))
	strict := cbor.NewSerializer(scheme.Scheme, scheme.Scheme, cbor.Strict(true))
	random := rand.New(rand.NewSource(1))
	secret := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Name: "m", Labels: map[string]string{"a": "b"}},
		Data: map[string][]byte{"k": {1, 2}}, StringData: map[string]string{"l": "x"}, Immutable: new(bool),
	}
	workload := deployment("m")
	workload.APIVersion, workload.Kind = "apps/v1", "Deployment"
	differ, refused, taken := 0, 0, 0
	for _, sample := range []struct {
		object runtime.Object
		kind   schema.GroupVersionKind
		path   string
	}{
		{secret, corev1.SchemeGroupVersion.WithKind("Secret"), "/api/v1/namespaces/" + ns + "/secrets"},
		{workload, appsv1.SchemeGroupVersion.WithKind("Deployment"), "/apis/apps/v1/namespaces/" + ns + "/deployments"},
	} {
		var whole bytes.Buffer
		if err := strict.Encode(sample.object, &whole); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			body := damaged(random, whole.Bytes())
			_, _, want := strict.Decode(body, &sample.kind, sample.object.DeepCopyObject())
			code, _, answer := post(t, c, sample.path+"?dryRun=All&fieldValidation=Strict", "application/cbor", "application/cbor", body)
			var status metav1.Status
			if code != 201 {
				if err := direct.Unmarshal(answer, &status); err != nil {
					t.Fatalf("%x: %d %x: %v", body, code, answer, err)
				}
			}
			read := code == 201 || !(strings.Contains(status.Message, "cannot be handled as") || strings.Contains(status.Message, "is unrecognized"))
			if want == nil {
				taken++
			} else {
				refused++
			}
			if (want == nil) == read && (want == nil || sameWords(want.Error(), status.Message)) {
				continue
			}
			if differ++; differ <= 12 {
				t.Errorf("%s\nupstream: %v\n  server: %d %s", hex.EncodeToString(body), want, code, status.Message)
			}
		}
	}
	if differ > 0 || refused < 300 || taken < 50 {
		t.Errorf("%d differ, %d refused, %d taken", differ, refused, taken)
	}
}

// sameWords allows for what is known to be told otherwise: a scheme has the name of the program that made it, keys that
// are no strings are refused as such wherever they stand, values of unknown fields are looked at, and a text in the
// wrong place is not told from bytes.
func sameWords(want, got string) bool {
	return strings.Contains(got, want) || strings.HasPrefix(want, "no kind ") && strings.Contains(got, "no kind ") ||
		strings.Contains(want, "map key is of type") || strings.HasSuffix(want, "of type string") && strings.Contains(got, "cbor: cannot unmarshal") ||
		strings.Contains(want, "found unknown field") || strings.Contains(want, "cannot unmarshal UTF-8 text string")
}

func damaged(random *rand.Rand, whole []byte) []byte {
	body := bytes.Clone(whole)
	for range 1 + random.Intn(2) {
		at := random.Intn(len(body))
		switch random.Intn(5) {
		case 0:
			body = body[:at]
		case 1:
			body[at] = byte(random.Intn(256))
		case 2:
			body[at] ^= 1 << random.Intn(8)
		case 3:
			interesting := []byte{0x00, 0x20, 0x40, 0x60, 0x80, 0xa0, 0xc0, 0xc1, 0xd6, 0xf4, 0xf6, 0xf7, 0xf9, 0xff, 0x9f, 0xbf, 0x5f, 0x7f, 0x1b, 0x3b}
			body[at] = interesting[random.Intn(len(interesting))]
		case 4:
			body = append(body[:at:at], body[min(len(body), at+1+random.Intn(4)):]...)
		}
		if len(body) == 0 {
			return whole[:1]
		}
	}
	return body
}
