#include "pki/server_pki.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pki {
namespace {

class FixedClock final : public base::Clock {
 public:
  base::WallTime wall_now() const override { return now; }
  base::MonoTime mono_now() const override { return {}; }
  base::WallTime now = base::SystemClock().wall_now();
};

class ServerPkiTest : public testing::Test {
 protected:
  ServerPkiTest() {
    char name[] = "/tmp/keelson-pki-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~ServerPkiTest() override { std::filesystem::remove_all(directory_); }

  ServerPki open() { return ServerPki::open(directory_ + "/pki", clock_).value(); }
  std::string read(const std::string& file) const {
    std::stringstream text;
    text << std::ifstream(directory_ + "/pki/" + file).rdbuf();
    return text.str();
  }
  int mode(const std::string& file) const {
    struct stat status{};
    return ::stat((directory_ + "/pki/" + file).c_str(), &status) == 0 ? status.st_mode & 0777 : -1;
  }
  // True when the openssl program agrees.
  bool openssl(const std::string& arguments) const {
    const std::string command = "cd " + directory_ + "/pki && openssl " + arguments + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }

  FixedClock clock_;
  std::string directory_;
  AlternativeNames names_ = ServerPki::serving_names("box", "cluster.local", "10.96.0.1", {"192.168.1.5"});
};

TEST_F(ServerPkiTest, MakesWhatIsMissingAndKeepsIt) {
  auto pki = open();
  const auto ca = pki.cluster_ca().value();
  const auto serving = pki.serving(names_).value();
  const auto admin = pki.client("admin", ServerPki::admin_subject()).value();
  ASSERT_TRUE(pki.client("scheduler", ServerPki::scheduler_subject()));
  ASSERT_TRUE(pki.client("node-n1", ServerPki::node_subject("n1")));
  ASSERT_TRUE(pki.front_proxy_client());
  ASSERT_TRUE(pki.kubelet_client());
  const auto sa = pki.service_account_key().value();
  for (const char* file : {"ca.key", "apiserver.key", "admin.key", "sa.key", "front-proxy-ca.key"}) {
    EXPECT_EQ(mode(file), 0600) << file;
  }
  EXPECT_EQ(mode("ca.crt"), 0644);
  EXPECT_EQ(sa.type(), KeyType::kRsa);
  EXPECT_EQ(PublicKey::parse_pem(read("sa.pub")).value(), sa.public_key());

  auto again = open();
  EXPECT_EQ(again.cluster_ca()->certificate_pem, ca.certificate_pem);
  EXPECT_EQ(again.serving(names_)->certificate_pem, serving.certificate_pem);
  EXPECT_EQ(again.client("admin", ServerPki::admin_subject())->certificate_pem, admin.certificate_pem);
  EXPECT_EQ(again.service_account_key()->pem(), sa.pem());
}

TEST_F(ServerPkiTest, OpensslAgrees) {
  auto pki = open();
  ASSERT_TRUE(pki.serving(names_));
  ASSERT_TRUE(pki.client("admin", ServerPki::admin_subject()));
  ASSERT_TRUE(pki.front_proxy_client());
  const std::string strict = "verify -x509_strict -CAfile ca.crt ";
  EXPECT_TRUE(openssl(strict + "-purpose sslserver -verify_hostname kubernetes.default.svc apiserver.crt"));
  EXPECT_TRUE(openssl(strict + "-purpose sslserver -verify_ip 10.96.0.1 apiserver.crt"));
  EXPECT_FALSE(openssl(strict + "-purpose sslserver -verify_ip 10.96.0.2 apiserver.crt"));
  EXPECT_TRUE(openssl(strict + "-purpose sslclient admin.crt"));
  EXPECT_FALSE(openssl(strict + "-purpose sslserver admin.crt"));
  EXPECT_FALSE(openssl(strict + "front-proxy-client.crt"));
  EXPECT_TRUE(openssl("x509 -in admin.crt -noout -subject | grep -q 'O = system:masters'"));
  EXPECT_TRUE(openssl("ec -in admin.key -check"));
}

TEST_F(ServerPkiTest, IssuesAnewWhatDoesNotFit) {
  auto pki = open();
  const auto first = pki.serving(names_).value();
  AlternativeNames more = names_;
  more.dns.push_back("api.example.com");
  const auto second = pki.serving(more).value();
  EXPECT_NE(second.certificate_pem, first.certificate_pem);
  EXPECT_EQ(pki.serving(names_)->certificate_pem, second.certificate_pem);  // fewer names: still good
  const auto admin = pki.client("admin", ServerPki::admin_subject()).value();
  EXPECT_NE(pki.client("admin", ServerPki::scheduler_subject())->certificate_pem, admin.certificate_pem);
}

TEST_F(ServerPkiTest, RenewsBeforeExpiry) {
  auto pki = open();
  const auto first = pki.serving(names_).value();
  const auto ca = pki.cluster_ca().value();
  clock_.now += std::chrono::hours(24 * 300);
  EXPECT_EQ(pki.serving(names_)->certificate_pem, first.certificate_pem);
  clock_.now += std::chrono::hours(24 * 40);
  const auto renewed = pki.serving(names_).value();
  EXPECT_NE(renewed.certificate_pem, first.certificate_pem);
  EXPECT_EQ(pki.cluster_ca()->certificate_pem, ca.certificate_pem);
  clock_.now += std::chrono::hours(24 * 3650);
  const auto expired = pki.cluster_ca();
  ASSERT_FALSE(expired);
  EXPECT_NE(expired.error().message.find("ca.crt has expired"), std::string::npos);
}

TEST_F(ServerPkiTest, ExternalAuthority) {
  auto pki = open();
  const auto serving = pki.serving(names_).value();
  std::filesystem::remove(directory_ + "/pki/ca.key");
  EXPECT_EQ(pki.serving(names_)->certificate_pem, serving.certificate_pem);
  const auto missing = pki.client("admin", ServerPki::admin_subject());
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("the CA's key is not here"), std::string::npos);
}

TEST_F(ServerPkiTest, ForeignFilesAreClearErrors) {
  auto pki = open();
  ASSERT_TRUE(pki.cluster_ca());
  ASSERT_TRUE(write_file_atomically(directory_ + "/pki/ca.key", "nonsense", FileMode::kPrivate));
  const auto broken = pki.cluster_ca();
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("pki/ca.key: "), std::string::npos);
  const auto nowhere = ServerPki::open("/proc/nowhere/pki", clock_);
  EXPECT_FALSE(nowhere);
}

}  // namespace
}  // namespace pki
