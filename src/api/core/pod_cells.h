// Printed columns of a Pod. Pure; thread: any.
#pragma once

#include "api/rules.h"
#include "gen/core/v1.h"

namespace api {

void pod_cells(const core::v1::Pod& pod, base::WallTime now, TableRow& row);
// Names and images of a template's containers, joined by commas: columns of every workload.
std::string container_names(const core::v1::PodSpec& spec);
std::string container_images(const core::v1::PodSpec& spec);

}  // namespace api
