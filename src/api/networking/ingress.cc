#include <algorithm>
#include <array>

#include "api/shared/cells.h"
#include "api/shared/strategy.h"
#include "gen/networking/v1.h"
#include "object/names.h"

namespace api {
namespace {

using networking::v1::Ingress;
using networking::v1::IngressBackend;

constexpr const char* kClassAnnotation = "kubernetes.io/ingress.class";
constexpr std::array kBadSequences = {"//", "/./", "/../", "%2f", "%2F"};
constexpr std::array kBadSuffixes = {"/..", "/."};

void check_segment(const std::string& value, std::string_view what, const FieldPath& path, FieldErrors& errors) {
  if (value.empty()) return errors.required(path, std::string(what) + " is required");
  errors.invalid_each(path, value, object::validate_path_segment_name(value));
}

void check_service(const networking::v1::IngressServiceBackend& service, const FieldPath& backend,
                   FieldErrors& errors) {
  const FieldPath path = backend.child("service"), name = path.child("name"), port = path.child("port");
  if (service.name.empty()) {
    errors.required(name);
  } else {
    errors.invalid_each(name, service.name, object::validate_dns1035_label(service.name));
  }
  const bool named = !service.port.name.empty(), numbered = service.port.number != 0;
  if (named && numbered) {
    errors.invalid(backend, "", "cannot set both port name & port number");
  } else if (named) {
    errors.invalid_each(port.child("name"), service.port.name, object::validate_port_name(service.port.name));
  } else if (numbered) {
    errors.invalid_each(port.child("number"), service.port.number, object::validate_port_number(service.port.number));
  } else {
    errors.required(backend, "port name or number is required");
  }
}

void check_backend(const IngressBackend& backend, const FieldPath& path, FieldErrors& errors) {
  if (backend.resource && backend.service) {
    return errors.invalid(path, "", "cannot set both resource and service backends");
  }
  if (backend.service) return check_service(*backend.service, path, errors);
  if (!backend.resource) return errors.invalid(path, "", "resource or service backend is required");
  const FieldPath resource = path.child("resource");
  if (backend.resource->api_group) {
    validate_dns1123_subdomain(*backend.resource->api_group, resource.child("apiGroup"), errors);
  }
  check_segment(backend.resource->kind, "kind", resource.child("kind"), errors);
  check_segment(backend.resource->name, "name", resource.child("name"), errors);
}

void check_path(const networking::v1::HTTPIngressPath& entry, const FieldPath& item, FieldErrors& errors) {
  const FieldPath path = item.child("path");
  constexpr std::string_view kAbsolute = "must be an absolute path";
  const std::string& text = entry.path;
  if (!entry.path_type) {
    errors.required(item.child("pathType"), "pathType must be specified");
  } else if (*entry.path_type == "Exact" || *entry.path_type == "Prefix") {
    if (!text.starts_with('/')) errors.invalid(path, text, kAbsolute);
    for (const char* bad : kBadSequences) {
      if (text.find(bad) != std::string::npos) {
        errors.invalid(path, text, "must not contain '" + std::string(bad) + "'");
      }
    }
    for (const char* bad : kBadSuffixes) {
      if (text.ends_with(bad)) errors.invalid(path, text, "cannot end with '" + std::string(bad) + "'");
    }
  } else if (*entry.path_type == "ImplementationSpecific") {
    if (!text.empty() && !text.starts_with('/')) errors.invalid(path, text, kAbsolute);
  } else {
    errors.not_supported(item.child("pathType"), *entry.path_type, {"Exact", "ImplementationSpecific", "Prefix"});
  }
  check_backend(entry.backend, item.child("backend"), errors);
}

void check_host(const std::string& host, const FieldPath& path, FieldErrors& errors) {
  if (host.find('*') != std::string::npos) {
    errors.invalid_each(path, host, object::validate_wildcard_dns1123_subdomain(host));
  } else {
    validate_dns1123_subdomain(host, path, errors);
  }
}

void check_rule(const networking::v1::IngressRule& rule, const FieldPath& path, FieldErrors& errors) {
  if (!rule.host.empty()) {
    object::IpAddress ip;
    const FieldPath host = path.child("host");
    if (object::parse_ip(rule.host, ip)) errors.invalid(host, rule.host, "must be a DNS name, not an IP address");
    check_host(rule.host, host, errors);
  }
  if (!rule.ingress_rule_value.http) return;
  const FieldPath http = path.child("http"), paths = http.child("paths");
  const auto& entries = rule.ingress_rule_value.http->paths;
  if (entries.empty()) errors.required(paths);
  for (size_t i = 0; i < entries.size(); ++i) check_path(entries[i], paths.index(i), errors);
}

std::string address_cell(const Ingress& ingress) {
  std::vector<std::string> addresses;
  for (const auto& entry : ingress.status.load_balancer.ingress) {
    const std::string& address = entry.ip.empty() ? entry.hostname : entry.ip;
    if (!address.empty()) addresses.push_back(address);
  }
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  return join(addresses, ",");
}

std::string hosts_cell(const Ingress& ingress) {
  constexpr size_t kMost = 3;
  std::vector<std::string> hosts;
  for (const auto& rule : ingress.spec.rules) {
    if (!rule.host.empty()) hosts.push_back(rule.host);
  }
  if (hosts.empty()) return "*";
  if (hosts.size() <= kMost) return join(hosts, ",");
  hosts.resize(kMost);
  return join(hosts, ",") + " + " + std::to_string(ingress.spec.rules.size() - kMost) + " more...";
}

class IngressRules final : public SpecStatusRules<Ingress> {
 public:
  IngressRules() : SpecStatusRules("networking.k8s.io", "v1", "Ingress") {}

  void prepare_for_create(RuleContext& context, Ingress& ingress) const override {
    SpecStatusRules::prepare_for_create(context, ingress);
    if (!ingress.metadata.annotations.contains(kClassAnnotation)) return;
    context.warnings->push_back(
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead");
  }
  void validate(RuleContext&, const Ingress& ingress, FieldErrors& errors) const override {
    check_spec(ingress, errors);
    auto annotation = ingress.metadata.annotations.find(kClassAnnotation);
    if (annotation == ingress.metadata.annotations.end() || !ingress.spec.ingress_class_name) return;
    if (annotation->second == *ingress.spec.ingress_class_name) return;
    const FieldPath metadata("metadata"), annotations = metadata.child("annotations");
    errors.invalid(annotations.child(kClassAnnotation), annotation->second,
                   "must match `ingressClassName` when both are specified");
  }
  void validate_update(RuleContext&, const Ingress& ingress, const Ingress&, FieldErrors& errors) const override {
    check_spec(ingress, errors);
  }
  void validate_subresource(std::string_view, RuleContext&, const Ingress& ingress, const Ingress&,
                            FieldErrors& errors) const override {
    const FieldPath status("status"), balancer = status.child("loadBalancer"), list = balancer.child("ingress");
    const auto& entries = ingress.status.load_balancer.ingress;
    for (size_t i = 0; i < entries.size(); ++i) {
      const FieldPath item = list.index(i);
      if (!entries[i].ip.empty()) {
        errors.invalid_each(item.child("ip"), entries[i].ip, object::validate_ip(entries[i].ip));
      }
      if (!entries[i].hostname.empty()) {
        validate_dns1123_subdomain(entries[i].hostname, item.child("hostname"), errors);
      }
    }
  }
  void cells(const Ingress& ingress, base::WallTime now, TableRow& row) const override {
    row.cells = {
        ingress.metadata.name, ingress.spec.ingress_class_name.value_or("<none>"), hosts_cell(ingress),
        address_cell(ingress), ingress.spec.tls.empty() ? "80" : "80, 443",        age_cell(ingress.metadata, now)};
  }

 private:
  static void check_spec(const Ingress& ingress, FieldErrors& errors) {
    const FieldPath path("spec");
    const auto& spec = ingress.spec;
    if (spec.rules.empty() && !spec.default_backend) {
      errors.invalid(path, BadValue::verbatim("null"), "either `defaultBackend` or `rules` must be specified");
    }
    if (spec.default_backend) check_backend(*spec.default_backend, path.child("defaultBackend"), errors);
    const FieldPath rules = path.child("rules"), tls = path.child("tls");
    for (size_t i = 0; i < spec.rules.size(); ++i) check_rule(spec.rules[i], rules.index(i), errors);
    for (size_t i = 0; i < spec.tls.size(); ++i) {
      const FieldPath item = tls.index(i), hosts = item.child("hosts");
      for (size_t j = 0; j < spec.tls[i].hosts.size(); ++j) check_host(spec.tls[i].hosts[j], hosts.index(j), errors);
      if (!spec.tls[i].secret_name.empty()) {
        validate_dns1123_subdomain(spec.tls[i].secret_name, item.child("secretName"), errors);
      }
    }
    if (spec.ingress_class_name) {
      validate_dns1123_subdomain(*spec.ingress_class_name, path.child("ingressClassName"), errors);
    }
  }
};

}  // namespace

std::unique_ptr<const KindRules> ingress_rules() { return std::make_unique<IngressRules>(); }

}  // namespace api
