// The store's ordered map: a persistent (copy-on-write) B-tree with wide nodes and counted records. Copying a Tree is
// O(1) and freezes what it shows; changing a copy clones only the nodes on the path that others still share. Beside
// each record a leaf keeps its signature, so that readers who look for few records pass the others without touching
// them. Memory per key beside its bytes: a record of 64 bytes, 24 to 48 bytes of leaf, two 16-byte SharedBytes headers.
// Thread: one thread changes a Tree; any number read frozen copies of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace kv {

// One version of one key, as etcd describes it. A deletion is a KeyValue with version 0 and no value, whose
// mod_revision is the revision of the deletion.
struct KeyValue {
  base::SharedBytes key;
  base::SharedBytes value;
  int64_t create_revision = 0;  // when the key last came into being
  int64_t mod_revision = 0;     // when this version was written
  int64_t version = 0;          // 1 for the first since creation
  int64_t lease = 0;            // 0: none
};

// A nullable, counted handle to an immutable KeyValue: 8 bytes, shared by tree, history and readers. Thread: any.
class KeyValueRef {
 public:
  KeyValueRef() = default;
  static KeyValueRef make(KeyValue value) { return KeyValueRef(new Counted{{1}, std::move(value)}); }
  KeyValueRef(const KeyValueRef& other) : counted_(other.counted_) {
    if (counted_) counted_->references.fetch_add(1, std::memory_order_relaxed);
  }
  KeyValueRef(KeyValueRef&& other) noexcept : counted_(std::exchange(other.counted_, nullptr)) {}
  KeyValueRef& operator=(KeyValueRef other) noexcept {
    std::swap(counted_, other.counted_);
    return *this;
  }
  ~KeyValueRef() {
    if (counted_ && counted_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete counted_;
  }
  explicit operator bool() const { return counted_ != nullptr; }
  const KeyValue* get() const { return counted_ ? &counted_->value : nullptr; }
  const KeyValue& operator*() const { return counted_->value; }
  const KeyValue* operator->() const { return &counted_->value; }

 private:
  struct Counted {
    std::atomic<uint32_t> references;
    KeyValue value;
  };
  explicit KeyValueRef(Counted* counted) : counted_(counted) {}
  Counted* counted_ = nullptr;
};

// What can be known of a record without touching it: a set of bits. Who looks for records with some property knows the
// bits that every such record has; a record whose signature does not cover them has not got the property, and one that
// does may have it.
struct Signature {
  uint64_t low = 0;
  uint64_t high = 0;
  // Of a record that says nothing of itself: covers everything.
  static constexpr Signature unknown() { return {~uint64_t{0}, ~uint64_t{0}}; }
  bool covers(const Signature& wanted) const { return ((wanted.low & ~low) | (wanted.high & ~high)) == 0; }
  Signature operator|(const Signature& other) const { return {low | other.low, high | other.high}; }
  bool operator==(const Signature&) const = default;
};

// Gives records their signatures: a pure function of key and value. Thread: any.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual Signature sign(std::string_view key, std::string_view value) const = 0;
};

class Tree {
 public:
  struct Node;  // in tree.cc
  class Iterator;

  Tree() = default;
  // `signer` outlives the tree and all copies of it; null: signatures are unknown.
  explicit Tree(const Signer* signer) : signer_(signer) {}
  Tree(const Tree& other);
  Tree(Tree&& other) noexcept : root_(std::exchange(other.root_, nullptr)), signer_(other.signer_) {}
  Tree& operator=(Tree other) noexcept {
    std::swap(root_, other.root_);
    std::swap(signer_, other.signer_);
    return *this;
  }
  ~Tree();

  const Signer* signer() const { return signer_; }
  size_t size() const;
  // Null when the key is not there. The reference lives as long as this Tree is neither changed nor destroyed.
  const KeyValueRef* find(std::string_view key) const;
  // Inserts or replaces; returns what was there.
  KeyValueRef set(KeyValueRef record);
  // Returns what was there.
  KeyValueRef erase(std::string_view key);
  // Keys in [start, end); an empty end means "to the last key". O(log n).
  size_t count(std::string_view start, std::string_view end) const;
  // At the first key that is not less than `start`.
  Iterator seek(std::string_view start) const;
  // Structure is sound: order, counts, depth, fill, signatures. For tests; O(n).
  bool valid() const;

 private:
  size_t rank(std::string_view key) const;
  Node* root_ = nullptr;
  const Signer* signer_ = nullptr;
};

// Walks a frozen Tree in key order. The Tree outlives it and does not change meanwhile.
class Tree::Iterator {
 public:
  bool at_end() const { return depth_ == 0; }
  const KeyValueRef& record() const;
  void next();

  // The same by the leaf: what is left of the current one, with the signatures beside it.
  std::span<const KeyValueRef> records() const;
  std::span<const Signature> signatures() const;
  void next_leaf();

 private:
  friend class Tree;
  static constexpr int kMaxDepth = 16;  // 8^16 records
  void descend(const Node* node, int index);
  void climb();
  void prefetch_next() const;
  struct Step {
    const Node* node;
    int index;
  };
  Step path_[kMaxDepth];
  int depth_ = 0;
};

}  // namespace kv
