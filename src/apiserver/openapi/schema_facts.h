// What the OpenAPI of upstream says and the tables do not: facts of single members. Constant data; thread: any.
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace apiserver::openapi {

// "PACKAGE MESSAGE.member" of structs that JSON always writes although upstream's tag says omitempty: not required.
inline constexpr std::string_view kNotRequired[] = {
    "admissionregistration.v1 ValidatingAdmissionPolicy.spec",
    "admissionregistration.v1 ValidatingAdmissionPolicyBinding.spec",
    "apiregistration.v1 APIService.spec",
    "apiregistration.v1 APIService.status",
    "apps.v1 ControllerRevision.data",
    "apps.v1 DeploymentCondition.lastTransitionTime",
    "apps.v1 DeploymentCondition.lastUpdateTime",
    "apps.v1 StatefulSetSpec.updateStrategy",
    "authentication.v1 SelfSubjectReview.status",
    "core.v1 EventSeries.lastObservedTime",
    "discovery.v1 Endpoint.conditions",
    "flowcontrol.v1 FlowSchemaCondition.lastTransitionTime",
    "flowcontrol.v1 LimitedPriorityLevelConfiguration.limitResponse",
    "flowcontrol.v1 PriorityLevelConfigurationCondition.lastTransitionTime",
    "networking.v1 IngressServiceBackend.port",
    "storage.v1 CSIDriver.metadata",
    "storage.v1 CSINode.metadata",
};

// Members whose type has constants in another package: where else the same type stands.
struct Borrowed {
  std::string_view member, package, message, field;
};
inline constexpr Borrowed kBorrowedEnums[] = {
    {"discovery.v1 EndpointPort.protocol", "core.v1", "ContainerPort", "protocol"},
    {"networking.v1 IngressPortStatus.protocol", "core.v1", "ContainerPort", "protocol"},
    {"networking.v1 NetworkPolicyPort.protocol", "core.v1", "ContainerPort", "protocol"},
    {"scheduling.v1 PriorityClass.preemptionPolicy", "core.v1", "PodSpec", "preemptionPolicy"},
    {"storage.v1 StorageClass.reclaimPolicy", "core.v1", "PersistentVolumeSpec", "persistentVolumeReclaimPolicy"},
};

// The members of version.Info, which is JSON only; the first nine are required.
inline constexpr std::string_view kVersionInfo[] = {"major",
                                                    "minor",
                                                    "gitVersion",
                                                    "gitCommit",
                                                    "gitTreeState",
                                                    "buildDate",
                                                    "goVersion",
                                                    "compiler",
                                                    "platform",
                                                    "emulationMajor",
                                                    "emulationMinor",
                                                    "minCompatibilityMajor",
                                                    "minCompatibilityMinor"};
inline constexpr size_t kVersionInfoRequired = 9;

// Discriminated unions: the discriminator, and the member of each of its values.
struct Union {
  std::string_view package, name, discriminator;
  std::array<std::pair<std::string_view, std::string_view>, 3> fields;
};
inline constexpr Union kUnions[] = {
    {"core.v1", "AppArmorProfile", "type", {{{"localhostProfile", "LocalhostProfile"}}}},
    {"core.v1", "SeccompProfile", "type", {{{"localhostProfile", "LocalhostProfile"}}}},
    {"flowcontrol.v1", "LimitResponse", "type", {{{"queuing", "Queuing"}}}},
    {"flowcontrol.v1", "PriorityLevelConfigurationSpec", "type", {{{"exempt", "Exempt"}, {"limited", "Limited"}}}},
    {"flowcontrol.v1",
     "Subject",
     "kind",
     {{{"group", "Group"}, {"serviceAccount", "ServiceAccount"}, {"user", "User"}}}},
};

}  // namespace apiserver::openapi
