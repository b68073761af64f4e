#include "cmd/components.h"

namespace cmd {

class Components::Impl {};

Components::Components(ComponentOptions) : impl_(std::make_unique<Impl>()) {}
Components::~Components() { stop(); }
base::Result<void> Components::start() { return {}; }
void Components::stop() {}

}  // namespace cmd
