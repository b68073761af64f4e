#include "kv/tree.h"

#include <algorithm>

#include "base/check.h"

namespace kv {

namespace {
constexpr int kWidth = 32;        // records of a leaf, children of an inner node
constexpr int kMin = kWidth / 4;  // a node that erase leaves with fewer is joined with a neighbour
}  // namespace

struct Tree::Node {
  explicit Node(bool is_leaf) : leaf(is_leaf) {}
  std::atomic<uint32_t> references{1};
  uint16_t size = 0;
  const bool leaf;
};

namespace {

using Node = Tree::Node;

struct Leaf : Node {
  Leaf() : Node(true) {}
  Signature signatures[kWidth];
  KeyValueRef records[kWidth];
};

// low[i] bounds children[i] from below (low[0] is not used): keys of children[i-1] < low[i] <= keys of children[i].
struct Inner : Node {
  Inner() : Node(false) {}
  Node* children[kWidth] = {};
  base::SharedBytes low[kWidth];
  uint64_t counts[kWidth] = {};  // records under each child
};

Leaf* as_leaf(Node* node) { return static_cast<Leaf*>(node); }
const Leaf* as_leaf(const Node* node) { return static_cast<const Leaf*>(node); }
Inner* as_inner(Node* node) { return static_cast<Inner*>(node); }
const Inner* as_inner(const Node* node) { return static_cast<const Inner*>(node); }

void retain(Node* node) { node->references.fetch_add(1, std::memory_order_relaxed); }

void release(Node* node) {
  if (!node || node->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (node->leaf) {
    delete as_leaf(node);
    return;
  }
  Inner* inner = as_inner(node);
  for (int i = 0; i < inner->size; ++i) release(inner->children[i]);
  delete inner;
}

uint64_t count_of(const Node* node) {
  if (node->leaf) return node->size;
  uint64_t total = 0;
  for (int i = 0; i < node->size; ++i) total += as_inner(node)->counts[i];
  return total;
}

// Move records [begin, end) of `from` with their signatures: to begin at `at` of `to`, or to end there. As with
// std::move and std::move_backward, the target may overlap the source only downwards, or upwards.
void move_records(Leaf* from, int begin, int end, Leaf* to, int at) {
  std::move(from->records + begin, from->records + end, to->records + at);
  std::copy(from->signatures + begin, from->signatures + end, to->signatures + at);
}
void move_records_backward(Leaf* from, int begin, int end, Leaf* to, int at) {
  std::move_backward(from->records + begin, from->records + end, to->records + at);
  std::copy_backward(from->signatures + begin, from->signatures + end, to->signatures + at);
}

// Makes the node in `slot` ours alone, cloning it when others share it. Its parent is ours already.
Node* own(Node*& slot) {
  if (slot->references.load(std::memory_order_acquire) == 1) return slot;
  Node* clone;
  if (slot->leaf) {
    Leaf* leaf = new Leaf();
    std::copy_n(as_leaf(slot)->records, slot->size, leaf->records);
    std::copy_n(as_leaf(slot)->signatures, slot->size, leaf->signatures);
    clone = leaf;
  } else {
    const Inner* source = as_inner(slot);
    Inner* inner = new Inner();
    std::copy_n(source->children, slot->size, inner->children);
    std::copy_n(source->low, slot->size, inner->low);
    std::copy_n(source->counts, slot->size, inner->counts);
    for (int i = 0; i < slot->size; ++i) retain(inner->children[i]);
    clone = inner;
  }
  clone->size = slot->size;
  release(slot);
  return slot = clone;
}

// First record that is not less than the key.
int lower_bound(const Leaf* leaf, std::string_view key) {
  int low = 0, high = leaf->size;
  while (low < high) {
    int middle = (low + high) / 2;
    if (leaf->records[middle]->key.view() < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The child that may hold the key.
int child_for(const Inner* inner, std::string_view key) {
  int low = 1, high = inner->size;
  while (low < high) {
    int middle = (low + high) / 2;
    if (inner->low[middle].view() <= key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

bool holds(const Leaf* leaf, int index, std::string_view key) {
  return index < leaf->size && leaf->records[index]->key.view() == key;
}

void insert_record(Leaf* leaf, int index, KeyValueRef record, const Signature& signature) {
  move_records_backward(leaf, index, leaf->size, leaf, leaf->size + 1);
  leaf->records[index] = std::move(record);
  leaf->signatures[index] = signature;
  ++leaf->size;
}

void insert_child(Inner* inner, int index, Node* child, base::SharedBytes low) {
  int size = inner->size;
  std::move_backward(inner->children + index, inner->children + size, inner->children + size + 1);
  std::move_backward(inner->low + index, inner->low + size, inner->low + size + 1);
  std::move_backward(inner->counts + index, inner->counts + size, inner->counts + size + 1);
  inner->children[index] = child;
  inner->low[index] = std::move(low);
  inner->counts[index] = count_of(child);
  ++inner->size;
}

void remove_child(Inner* inner, int index) {
  int size = inner->size;
  std::move(inner->children + index + 1, inner->children + size, inner->children + index);
  std::move(inner->low + index + 1, inner->low + size, inner->low + index);
  std::move(inner->counts + index + 1, inner->counts + size, inner->counts + index);
  inner->low[size - 1] = {};
  --inner->size;
}

// Moves `count` entries from the front of `right` to the end of `left`; `low` is the bound between them.
void shift_left(Node* left, Node* right, int count, const base::SharedBytes& low) {
  int size = right->size;
  if (left->leaf) {
    move_records(as_leaf(right), 0, count, as_leaf(left), left->size);
    move_records(as_leaf(right), count, size, as_leaf(right), 0);
  } else {
    Inner *to = as_inner(left), *from = as_inner(right);
    from->low[0] = low;
    std::move(from->children, from->children + count, to->children + left->size);
    std::move(from->low, from->low + count, to->low + left->size);
    std::move(from->counts, from->counts + count, to->counts + left->size);
    std::move(from->children + count, from->children + size, from->children);
    std::move(from->low + count, from->low + size, from->low);
    std::move(from->counts + count, from->counts + size, from->counts);
  }
  left->size += count;
  right->size -= count;
}

// Moves the last `count` entries of `left` to the front of `right`; `low` is the bound between them.
void shift_right(Node* left, Node* right, int count, const base::SharedBytes& low) {
  int keep = left->size - count, size = right->size;
  if (left->leaf) {
    Leaf *from = as_leaf(left), *to = as_leaf(right);
    move_records_backward(to, 0, size, to, size + count);
    move_records(from, keep, left->size, to, 0);
  } else {
    Inner *from = as_inner(left), *to = as_inner(right);
    if (size > 0) to->low[0] = low;
    std::move_backward(to->children, to->children + size, to->children + size + count);
    std::move_backward(to->low, to->low + size, to->low + size + count);
    std::move_backward(to->counts, to->counts + size, to->counts + size + count);
    std::move(from->children + keep, from->children + left->size, to->children);
    std::move(from->low + keep, from->low + left->size, to->low);
    std::move(from->counts + keep, from->counts + left->size, to->counts);
  }
  left->size -= count;
  right->size += count;
}

// The bound below a node that was just cut off on the right: its first key, or the bound that travelled in low[0].
base::SharedBytes bound_of(const Node* node) {
  return node->leaf ? as_leaf(node)->records[0]->key : as_inner(node)->low[0];
}

struct Split {
  Node* right = nullptr;
  base::SharedBytes low;
};

// Cuts a full node in two. An insertion at the end leaves the left part full: keys often arrive in ascending order.
Split split(Node* node, int insert_at) {
  Node* right = node->leaf ? static_cast<Node*>(new Leaf()) : new Inner();
  shift_right(node, right, insert_at == node->size ? 1 : node->size / 2, {});
  return {right, bound_of(right)};
}

KeyValueRef insert(Node*& slot, KeyValueRef record, const Signature& signature, Split& overflow) {
  Node* node = own(slot);
  std::string_view key = record->key.view();
  if (node->leaf) {
    Leaf* leaf = as_leaf(node);
    int index = lower_bound(leaf, key);
    if (holds(leaf, index, key)) {
      leaf->signatures[index] = signature;
      return std::exchange(leaf->records[index], std::move(record));
    }
    if (leaf->size == kWidth) {
      overflow = split(leaf, index);
      if (index >= leaf->size && key >= overflow.low.view()) {
        index -= leaf->size;
        leaf = as_leaf(overflow.right);
      }
    }
    insert_record(leaf, index, std::move(record), signature);
    return {};
  }
  Inner* inner = as_inner(node);
  int index = child_for(inner, key);
  Split below;
  KeyValueRef previous = insert(inner->children[index], std::move(record), signature, below);
  if (!previous) inner->counts[index] = count_of(inner->children[index]);
  if (below.right) {
    ++index;
    if (inner->size == kWidth) {
      overflow = split(inner, index);
      if (index > inner->size) {
        index -= inner->size;
        inner = as_inner(overflow.right);
      }
    }
    insert_child(inner, index, below.right, std::move(below.low));
  }
  return previous;
}

// Joins child `index` of `inner`, which has too few entries, with a neighbour, or evens the two out.
void refill(Inner* inner, int index) {
  int left_index = index > 0 ? index - 1 : index;
  if (left_index + 1 >= inner->size) return;  // an only child; the root collapses
  Node* left = own(inner->children[left_index]);
  Node* right = own(inner->children[left_index + 1]);
  base::SharedBytes& low = inner->low[left_index + 1];
  if (left->size + right->size <= kWidth) {
    shift_left(left, right, right->size, low);
    release(right);
    remove_child(inner, left_index + 1);
  } else {
    int target = (left->size + right->size) / 2;
    if (left->size < target) {
      shift_left(left, right, target - left->size, low);
    } else {
      shift_right(left, right, left->size - target, low);
    }
    low = bound_of(right);
    inner->counts[left_index + 1] = count_of(right);
  }
  inner->counts[left_index] = count_of(left);
}

// The key is there: find() said so.
KeyValueRef remove(Node*& slot, std::string_view key) {
  Node* node = own(slot);
  if (node->leaf) {
    Leaf* leaf = as_leaf(node);
    int index = lower_bound(leaf, key);
    CHECK(holds(leaf, index, key));
    KeyValueRef previous = std::move(leaf->records[index]);
    move_records(leaf, index + 1, leaf->size, leaf, index);
    --leaf->size;
    return previous;
  }
  Inner* inner = as_inner(node);
  int index = child_for(inner, key);
  KeyValueRef previous = remove(inner->children[index], key);
  inner->counts[index] -= 1;
  if (inner->children[index]->size < kMin) refill(inner, index);
  return previous;
}

struct Bounds {
  std::string_view low, high;  // high empty: none
};

// Depth of the sound subtree; -1 when it is not sound.
int depth_of(const Node* node, Bounds bounds, bool is_root) {
  auto inside = [&](std::string_view key) { return key >= bounds.low && (bounds.high.empty() || key < bounds.high); };
  if (node->size == 0) return -1;
  if (node->leaf) {
    for (int i = 0; i < node->size; ++i) {
      std::string_view key = as_leaf(node)->records[i]->key.view();
      if (!inside(key) || (i > 0 && key <= as_leaf(node)->records[i - 1]->key.view())) return -1;
    }
    return 1;
  }
  const Inner* inner = as_inner(node);
  if (is_root && inner->size < 2) return -1;
  int depth = 0;
  for (int i = 0; i < inner->size; ++i) {
    Bounds child{i > 0 ? inner->low[i].view() : bounds.low,
                 i + 1 < inner->size ? inner->low[i + 1].view() : bounds.high};
    int below = depth_of(inner->children[i], child, false);
    if (below < 0 || (i > 0 && below != depth) || count_of(inner->children[i]) != inner->counts[i]) return -1;
    depth = below;
  }
  return depth + 1;
}

}  // namespace

Tree::Tree(const Tree& other) : root_(other.root_), signer_(other.signer_) {
  if (root_) retain(root_);
}

Tree::~Tree() { release(root_); }

size_t Tree::size() const { return root_ ? count_of(root_) : 0; }

const KeyValueRef* Tree::find(std::string_view key) const {
  const Node* node = root_;
  if (!node) return nullptr;
  while (!node->leaf) node = as_inner(node)->children[child_for(as_inner(node), key)];
  int index = lower_bound(as_leaf(node), key);
  return holds(as_leaf(node), index, key) ? &as_leaf(node)->records[index] : nullptr;
}

KeyValueRef Tree::set(KeyValueRef record) {
  if (!root_) root_ = new Leaf();
  const Signature signature = signer_ ? signer_->sign(record->key.view(), record->value.view()) : Signature::unknown();
  Split overflow;
  KeyValueRef previous = insert(root_, std::move(record), signature, overflow);
  if (overflow.right) {
    Inner* top = new Inner();
    insert_child(top, 0, root_, {});
    insert_child(top, 1, overflow.right, std::move(overflow.low));
    root_ = top;
  }
  return previous;
}

KeyValueRef Tree::erase(std::string_view key) {
  if (!find(key)) return {};  // so that a miss clones nothing
  KeyValueRef previous = remove(root_, key);
  while (!root_->leaf && root_->size == 1) {
    Node* only = as_inner(root_)->children[0];
    retain(only);
    release(std::exchange(root_, only));
  }
  if (root_->size == 0) release(std::exchange(root_, nullptr));
  return previous;
}

size_t Tree::rank(std::string_view key) const {
  const Node* node = root_;
  size_t before = 0;
  if (!node) return 0;
  while (!node->leaf) {
    const Inner* inner = as_inner(node);
    int index = child_for(inner, key);
    for (int i = 0; i < index; ++i) before += inner->counts[i];
    node = inner->children[index];
  }
  return before + lower_bound(as_leaf(node), key);
}

size_t Tree::count(std::string_view start, std::string_view end) const {
  size_t low = rank(start), high = end.empty() ? size() : rank(end);
  return high > low ? high - low : 0;
}

bool Tree::valid() const {
  for (Iterator at = seek(""); !at.at_end(); at.next()) {
    const KeyValue& record = *at.record();
    if (at.signatures()[0] !=
        (signer_ ? signer_->sign(record.key.view(), record.value.view()) : Signature::unknown())) {
      return false;
    }
  }
  return !root_ || depth_of(root_, {}, true) > 0;
}

Tree::Iterator Tree::seek(std::string_view start) const {
  Iterator result;
  const Node* node = root_;
  if (!node) return result;
  while (!node->leaf) {
    int index = child_for(as_inner(node), start);
    result.descend(node, index);
    node = as_inner(node)->children[index];
  }
  result.descend(node, lower_bound(as_leaf(node), start));
  if (result.path_[result.depth_ - 1].index == node->size) result.climb();
  return result;
}

const KeyValueRef& Tree::Iterator::record() const {
  const Step& last = path_[depth_ - 1];
  return as_leaf(last.node)->records[last.index];
}

std::span<const KeyValueRef> Tree::Iterator::records() const {
  const Step& last = path_[depth_ - 1];
  return {as_leaf(last.node)->records + last.index, static_cast<size_t>(last.node->size - last.index)};
}

std::span<const Signature> Tree::Iterator::signatures() const {
  const Step& last = path_[depth_ - 1];
  return {as_leaf(last.node)->signatures + last.index, static_cast<size_t>(last.node->size - last.index)};
}

void Tree::Iterator::next_leaf() { climb(); }

void Tree::Iterator::next() {
  Step& last = path_[depth_ - 1];
  if (++last.index == last.node->size) climb();
}

void Tree::Iterator::descend(const Node* node, int index) {
  CHECK(depth_ < kMaxDepth);
  path_[depth_++] = {node, index};
}

// Leaves a finished leaf for the first record of the next one, or for the end.
void Tree::Iterator::climb() {
  do {
    if (--depth_ == 0) return;
  } while (++path_[depth_ - 1].index == path_[depth_ - 1].node->size);
  const Node* node = path_[depth_ - 1].node;
  const Node* child = as_inner(node)->children[path_[depth_ - 1].index];
  while (!child->leaf) {
    descend(child, 0);
    child = as_inner(child)->children[0];
  }
  descend(child, 0);
  prefetch_next();
}

// Who walks leaf by leaf finds the next one's signatures in the cache.
void Tree::Iterator::prefetch_next() const {
  if (depth_ < 2) return;
  const Step& above = path_[depth_ - 2];
  if (above.index + 1 >= above.node->size) return;
  const char* next = reinterpret_cast<const char*>(as_inner(above.node)->children[above.index + 1]);
  for (size_t at = 0; at < sizeof(Node) + sizeof(Leaf::signatures); at += 64) __builtin_prefetch(next + at);
}

}  // namespace kv
