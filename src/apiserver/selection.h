// Selection: label and field selectors of a list or watch, compiled for one endpoint and matched against stored bytes
// without decoding where the fields allow it. Immutable; thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/endpoint.h"
#include "apiserver/options.h"
#include "base/result.h"
#include "kv/tree.h"
#include "schema/metadata_view.h"

namespace apiserver {

class Selection {
 public:
  // kBadRequest, as upstream says it, for a field that the kind has no selector for.
  static base::Result<Selection> compile(const Endpoint& endpoint, const ListOptions& options);
  bool everything() const { return labels_.empty() && fields_.empty(); }
  // `raw`: the stored message.
  bool matches(std::string_view raw) const;
  // What the selectors fix, for indexes: the one name, namespace, spec.nodeName that can match.
  std::optional<std::string> name() const { return fixed("metadata.name"); }
  std::optional<std::string> ns() const { return fixed("metadata.namespace"); }
  std::optional<std::string> node_name() const { return fixed("spec.nodeName"); }
  // Whatever matches has a signature that covers one of these. Empty: the selectors say nothing that signatures hold.
  const std::vector<kv::Signature>& signatures() const { return signatures_; }

 private:
  struct Term {
    object::FieldTerm term;
    schema::NumberPath path;  // size 0: only the decoded struct knows
  };
  void derive_signatures();
  std::optional<std::string> fixed(std::string_view field) const;
  bool matches_fields(std::string_view raw, const schema::MetadataView& metadata) const;

  const Endpoint* endpoint_ = nullptr;
  object::LabelSelector labels_;
  std::vector<Term> fields_;
  std::vector<kv::Signature> signatures_;
};

}  // namespace apiserver
