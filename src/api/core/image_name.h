// Names of container images: [domain/]path[:tag][@digest]. Pure; thread: any.
#pragma once

#include <string_view>

namespace api {

// Does the image float: tag "latest", or neither tag nor digest? False for what is no image name.
bool image_is_latest(std::string_view image);

}  // namespace api
