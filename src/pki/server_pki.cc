#include "pki/server_pki.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "pki/digest.h"
#include "pki/limits.h"

namespace pki {

using base::fail;
using base::Reason;
using base::Result;

namespace {

base::Error file_error(const std::string& what, const std::string& path) {
  return base::Error(Reason::kInternalError, what + " " + path + ": " + std::strerror(errno));
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(file_error("cannot read", path));
  std::string content;
  char buffer[16384];
  ssize_t count = 0;
  while ((count = ::read(fd, buffer, sizeof buffer)) > 0 && content.size() <= kMaxPemFileBytes) {
    content.append(buffer, static_cast<size_t>(count));
  }
  const auto error = file_error("cannot read", path);
  ::close(fd);
  if (count < 0) return fail(error);
  if (content.size() > kMaxPemFileBytes) return fail(Reason::kInvalid, path + " is too large for a PEM file");
  return content;
}

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(file_error("cannot write", path));
    content.remove_prefix(static_cast<size_t>(count));
  }
  if (::fsync(fd) != 0) return fail(file_error("cannot write", path));
  return {};
}

// The rename is durable once the directory is.
void sync_directory(const std::string& path) {
  const int fd = ::open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

// What two sets of names mean, in any order and spelling of addresses.
bool covers(const AlternativeNames& have, const AlternativeNames& want) {
  const auto all_in = [](const std::vector<std::string>& part, const std::vector<std::string>& whole) {
    return std::ranges::all_of(part, [&](const std::string& text) { return contains(whole, text); });
  };
  return all_in(want.dns, have.dns) && all_in(want.ips, have.ips);
}

// Why the certificate on disk must be issued anew; "" when it is good.
std::string unfit(const KeyPair& pair, const CertificateSpec& spec, const Certificate& issuer, base::WallTime now) {
  const CertificateInfo info = pair.certificate.info();
  auto organizations = info.subject.organizations;
  auto wanted = spec.subject.organizations;
  std::ranges::sort(organizations);
  std::ranges::sort(wanted);
  if (info.subject.common_name != spec.subject.common_name || organizations != wanted) return "it has another subject";
  if (!covers(info.names, spec.names)) return "a name is missing";
  if (info.not_after - kRenewBefore <= now) return "it expires soon or has expired";
  const ExtendedKeyUsage usage =
      spec.extended_key_usages.empty() ? ExtendedKeyUsage::kAny : spec.extended_key_usages.front();
  const auto trusted =
      verify(pair.certificate, {.roots = {issuer}, .intermediates = {}, .at = now, .usage = usage, .host = ""});
  return trusted ? "" : trusted.error().message;
}

}  // namespace

Result<void> write_file_atomically(const std::string& path, std::string_view content, FileMode mode) {
  const std::string temporary = path + ".tmp-" + to_hex(random_bytes(6));
  const mode_t bits = mode == FileMode::kPrivate ? 0600 : 0644;
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, bits);
  if (fd < 0) return fail(file_error("cannot create", temporary));
  auto written = write_all(fd, content, temporary);
  ::close(fd);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = fail(file_error("cannot write", path));
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  sync_directory(path);
  return {};
}

Result<ServerPki> ServerPki::open(std::string directory, const base::Clock& clock) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(Reason::kInternalError, "cannot create " + directory + ": " + error.message());
  return ServerPki(std::move(directory), clock);
}

// The key is written first: a crash between the two leaves a certificate missing, which is made anew.
Result<PemPair> ServerPki::store(const std::string& file, const KeyPair& pair) {
  PemPair pem{pair.certificate.pem(), pair.key.pem()};
  const std::string path = directory_ + "/" + file;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  TRY(write_file_atomically(path + ".key", pem.key_pem, FileMode::kPrivate));
  TRY(write_file_atomically(path + ".crt", pem.certificate_pem, FileMode::kPublic));
  return pem;
}

Result<PemPair> ServerPki::authority(const std::string& file, const std::string& common_name) {
  const std::string path = directory_ + "/" + file;
  const auto now = clock_->wall_now();
  if (!exists(path + ".crt")) {
    // A key without a certificate is what a crash between the two writes leaves behind: no certificate was signed with
    // it.
    TRY_ASSIGN(const KeyPair made, make_authority(common_name, now));
    base::log::info("made a certificate authority", {{"file", path + ".crt"}});
    return store(file, made);
  }
  PemPair pem;
  TRY_ASSIGN(pem.certificate_pem, read_file(path + ".crt"));
  auto certificate = Certificate::parse_pem(pem.certificate_pem);
  if (!certificate) return fail(Reason::kInvalid, path + ".crt: " + certificate.error().message);
  if (certificate->info().not_after <= now) {
    return fail(Reason::kInvalid, path + ".crt has expired: a certificate authority is not replaced by itself");
  }
  if (!exists(path + ".key")) return pem;  // Compat: an external CA: what it signed must be there
  TRY_ASSIGN(pem.key_pem, read_file(path + ".key"));
  const auto pair = parse_pair(pem.certificate_pem, pem.key_pem);
  if (!pair) return fail(Reason::kInvalid, path + ".key: " + pair.error().message);
  return pem;
}

Result<PemPair> ServerPki::leaf(const std::string& file, const CertificateSpec& spec, const PemPair& issuer) {
  const std::string path = directory_ + "/" + file;
  TRY_ASSIGN(const Certificate authority, Certificate::parse_pem(issuer.certificate_pem));
  std::string why = "it is not there";
  if (exists(path + ".crt") && exists(path + ".key")) {
    PemPair pem;
    TRY_ASSIGN(pem.certificate_pem, read_file(path + ".crt"));
    TRY_ASSIGN(pem.key_pem, read_file(path + ".key"));
    const auto pair = parse_pair(pem.certificate_pem, pem.key_pem);
    why = pair ? unfit(*pair, spec, authority, clock_->wall_now()) : pair.error().message;
    if (why.empty()) return pem;
  }
  if (issuer.key_pem.empty()) {
    return fail(Reason::kInvalid, path + ".crt must be issued (" + why + "), but the CA's key is not here");
  }
  TRY_ASSIGN(const KeyPair signer, parse_pair(issuer.certificate_pem, issuer.key_pem));
  TRY_ASSIGN(const KeyPair made, issue_pair(spec, signer));
  base::log::info("issued a certificate", {{"file", path + ".crt"}, {"why", why}});
  return store(file, made);
}

Result<PemPair> ServerPki::cluster_ca() { return authority("ca", "kubernetes"); }
Result<PemPair> ServerPki::front_proxy_ca() { return authority("front-proxy-ca", "front-proxy-ca"); }

Result<PemPair> ServerPki::front_proxy_client() {
  TRY_ASSIGN(const PemPair issuer, front_proxy_ca());
  return leaf("front-proxy-client", client_spec({.common_name = "front-proxy-client"}, clock_->wall_now()), issuer);
}

Result<PemPair> ServerPki::serving(const AlternativeNames& names) {
  TRY_ASSIGN(const PemPair issuer, cluster_ca());
  return leaf("apiserver", server_spec({.common_name = "kube-apiserver"}, names, clock_->wall_now()), issuer);
}

Result<PemPair> ServerPki::kubelet_client() {
  // Compat: no organization since 1.34; its rights come from a binding.
  return client("apiserver-kubelet-client", {.common_name = "kube-apiserver-kubelet-client"});
}

Result<PemPair> ServerPki::client(const std::string& file, const Subject& subject) {
  TRY_ASSIGN(const PemPair issuer, cluster_ca());
  return leaf(file, client_spec(subject, clock_->wall_now()), issuer);
}

Result<PrivateKey> ServerPki::service_account_key() {
  const std::string path = directory_ + "/sa";
  if (exists(path + ".key")) {
    TRY_ASSIGN(const std::string pem, read_file(path + ".key"));
    auto key = PrivateKey::parse_pem(pem);
    if (!key) return fail(Reason::kInvalid, path + ".key: " + key.error().message);
    if (!exists(path + ".pub")) TRY(write_file_atomically(path + ".pub", key->public_key().pem(), FileMode::kPublic));
    return key;
  }
  // Compat: an RSA key, because clients know RS256 best. It takes long to make: ask for it off the start path.
  constexpr int kBits = 2048;
  TRY_ASSIGN(PrivateKey key, PrivateKey::generate_rsa(kBits));
  TRY(write_file_atomically(path + ".key", key.pem(), FileMode::kPrivate));
  TRY(write_file_atomically(path + ".pub", key.public_key().pem(), FileMode::kPublic));
  return key;
}

Subject ServerPki::admin_subject() {
  return {.common_name = "kubernetes-super-admin", .organizations = {"system:masters"}};
}
Subject ServerPki::scheduler_subject() { return {.common_name = "system:kube-scheduler"}; }
Subject ServerPki::controller_manager_subject() { return {.common_name = "system:kube-controller-manager"}; }
Subject ServerPki::node_subject(const std::string& node) {
  return {.common_name = "system:node:" + node, .organizations = {"system:nodes"}};
}

AlternativeNames ServerPki::serving_names(const std::string& node, const std::string& dns_domain,
                                          const std::string& first_service_ip,
                                          const std::vector<std::string>& addresses) {
  AlternativeNames names;
  names.dns = {"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + dns_domain,
               "localhost"};
  if (!node.empty() && !contains(names.dns, node)) names.dns.insert(names.dns.begin(), node);
  for (const auto& ip : {first_service_ip, std::string("127.0.0.1"), std::string("::1")}) names.ips.push_back(ip);
  for (const auto& ip : addresses) {
    if (!contains(names.ips, ip)) names.ips.push_back(ip);
  }
  return names;
}

}  // namespace pki
