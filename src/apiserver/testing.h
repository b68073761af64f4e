// For the tests of this folder: a core over an embedded store in a directory that goes away. Thread: one.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "apiserver/core.h"
#include "base/check.h"
#include "kv/embedded.h"
#include "storage/signature.h"

namespace apiserver::testing {

// Time stands still.
class FixedClock final : public base::Clock {
 public:
  base::WallTime wall_now() const override { return base::WallTime(std::chrono::seconds(1'767'323'045)); }
  base::MonoTime mono_now() const override { return base::MonoTime(std::chrono::hours(1)); }
};

class TestCore {
 public:
  TestCore() : rng(base::seeded_rng(1)) {
    std::string form = std::filesystem::temp_directory_path() / "keelson-apiserver-XXXXXX";
    CHECK(mkdtemp(form.data()) != nullptr);
    directory_ = form;
    open();
  }
  ~TestCore() {
    core.reset();
    store.reset();
    pool.stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  // As after a restart of the process.
  void reopen() {
    core.reset();
    store.reset();
    open();
  }
  // A request without network, for what wants a context.
  RequestContext context() const {
    RequestContext made;
    made.core = core.get();
    made.origin = Origin::kInProcess;
    made.now = clock.wall_now();
    return made;
  }

  std::function<void(CoreOptions&)> adjust;  // takes effect when it is opened again
  FixedClock clock;
  base::ThreadPool pool{"test", 2};
  std::unique_ptr<base::Rng> rng;
  api::Catalogue catalogue;
  storage::ObjectSigner signer;
  std::unique_ptr<kv::Store> store;
  std::unique_ptr<Core> core;

 private:
  void open() {
    auto opened = kv::open_embedded_store({clock, pool, *rng, &signer}, directory_ + "/store");
    CHECK(opened.has_value());
    store = std::move(*opened);
    CoreOptions options;
    options.store = store.get();
    options.catalogue = &catalogue;
    options.clock = &clock;
    options.rng = rng.get();
    options.pool = &pool;
    options.admission = std::make_unique<admission::Chain>(std::vector<std::unique_ptr<admission::Plugin>>());
    if (adjust) adjust(options);
    core = std::make_unique<Core>(std::move(options));
  }

  std::string directory_;
};

}  // namespace apiserver::testing
