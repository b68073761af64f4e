#!/usr/bin/env python3
"""Generates the API's C++ structs and tables from api/schema (see api/schema/README.md and src/gen/README.md).

usage: gen_api.py --schema DIR --out DIR [--list]      --list prints the files that would be written, a line each
"""
import argparse
import glob
import json
import os
import re
import sys

# Packages whose messages get C++ structs: what the code that knows a kind works with. A message that has the members of
# one of the same name in an earlier package of its group shares that one's struct, also in packages that are not listed.
STRUCT_PACKAGES = [
    'meta.v1', 'core.v1', 'apps.v1', 'batch.v1', 'autoscaling.v1', 'autoscaling.v2', 'policy.v1', 'rbac.v1',
    'networking.v1', 'storage.v1', 'scheduling.v1', 'coordination.v1', 'discovery.v1', 'events.v1', 'certificates.v1',
    'node.v1', 'admissionregistration.v1', 'apiextensions.v1', 'apiregistration.v1', 'flowcontrol.v1',
    'authentication.v1', 'authorization.v1', 'resource.v1', 'admission.v1', 'admissionregistration.v1beta1',
    'certificates.v1beta1', 'coordination.v1beta1', 'scheduling.v1alpha1', 'resource.v1beta1', 'resource.v1alpha3',
    'apiserverinternal.v1alpha1', 'storagemigration.v1beta1',
]
# Hand-written C++ types (src/object/types.h) for messages with encodings of their own.
HAND_WRITTEN = {
    'meta.v1.Time': 'Time', 'meta.v1.MicroTime': 'MicroTime', 'meta.v1.Duration': 'Duration',
    'meta.v1.FieldsV1': 'FieldsV1', 'util.resource.Quantity': 'Quantity', 'util.intstr.IntOrString': 'IntOrString',
    'util.runtime.RawExtension': 'RawExtension',
}
KEYWORDS = {'namespace', 'default', 'operator', 'continue', 'template', 'static', 'int', 'bool', 'protected', 'not',
            'signed', 'delete', 'switch', 'export', 'enum', 'class', 'public', 'private', 'new', 'for', 'if', 'else',
            'do', 'while', 'double', 'float', 'long', 'short', 'auto', 'const', 'union', 'struct', 'using', 'and', 'or',
            'xor', 'register', 'volatile', 'explicit', 'requires', 'concept', 'this', 'true', 'false', 'try', 'catch'}
SCALARS = {'bool': 'bool', 'int32': 'int32_t', 'int64': 'int64_t', 'double': 'double', 'string': 'std::string',
           'bytes': 'std::string'}
SPECIALS = {'time': 'kTime', 'microtime': 'kMicroTime', 'duration': 'kDuration', 'quantity': 'kQuantity',
            'intstr': 'kIntOrString', 'rawextension': 'kRawExtension', 'unknown': 'kUnknown', 'fieldsv1': 'kFieldsV1',
            'groupversion': 'kGroupVersion', 'json': 'kJson', 'schemaorbool': 'kSchemaOrBool',
            'schemaorarray': 'kSchemaOrArray', 'schemaorstringarray': 'kSchemaOrStringArray'}
# Well-formed bytes of these may still be no value.
UNSURE_SPECIALS = {'rawextension', 'unknown', 'fieldsv1', 'json', 'intstr'}


def wire_kind(field):
    return {'bool': 'kBool', 'int32': 'kInt32', 'int64': 'kInt64', 'double': 'kDouble', 'string': 'kString',
            'bytes': 'kBytes'}.get(field.type, 'kMessage')


# The functions of gen/catalogue.h, after the tables.
LOOK_UPS = '''
std::span<const schema::Message* const> messages() { return kMessages; }
std::span<const schema::Kind> kinds() { return kKinds; }
std::span<const schema::GroupVersion> group_versions() { return kGroupVersions; }

const schema::Message* find_message(std::string_view package, std::string_view name) {
  auto found = std::ranges::find_if(kMessages, [&](const schema::Message* m) { return m->name == name && m->package == package; });
  return found == std::end(kMessages) ? nullptr : *found;
}

const schema::Kind* find_kind(std::string_view group, std::string_view version, std::string_view kind) {
  auto found = std::ranges::find_if(kKinds, [&](const schema::Kind& k) { return k.kind == kind && k.version == version && k.group == group; });
  return found == std::end(kKinds) ? nullptr : found;
}

const schema::Resource* find_resource(std::string_view group, std::string_view version, std::string_view name,
                                      std::string_view subresource) {
  for (const schema::GroupVersion& gv : kGroupVersions) {
    if (gv.version != version || gv.group != group) continue;
    for (const schema::Resource& r : gv.resources) {
      if (r.name == name && r.subresource == subresource) return &r;
    }
  }
  return nullptr;
}
}  // namespace gen'''


def snake(name):
    """clusterIPs -> cluster_ips, hostIP -> host_ip, podCIDRs -> pod_cidrs, nonResourceURLs -> non_resource_urls."""
    name = re.sub(r'(IP|CIDR|URL|ID|WWN|PID|GPU|API|OS)s(?![a-z])', lambda m: m.group(1) + 'S', name)
    name = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', name)
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name).lower().replace('-', '_').replace('$', '')
    return name + '_' if name in KEYWORDS else name


def text(value):
    """A C++ string literal."""
    return json.dumps(value, ensure_ascii=True) if value.isascii() else '"' + ''.join(
        c if c.isascii() else ''.join('\\%03o' % b for b in c.encode()) for c in value) + '"'


class Field:
    def __init__(self, package, line):
        words = split_words(line)
        self.package = package
        self.number = 0 if words[0] == '-' else int(words[0])
        self.name = words[1]
        kind = words[2]
        self.presence = kind.endswith('?')
        kind = kind.rstrip('?')
        self.card = 'kSingular'
        if kind.endswith('[]'):
            self.card, kind = 'kRepeated', kind[:-2]
        elif kind.startswith('map<'):
            self.card, kind = 'kMap', kind[4:-1]
        self.type = kind
        if kind == 'bytes' and self.card == 'kSingular':
            self.presence = True
        self.attributes = dict((w.split('=', 1) + [''])[:2] for w in words[3:])
        self.json = '' if 'inline' in self.attributes else self.attributes.get('json', self.name)
        if self.json == '-':
            self.json = ''
        self.message = None if kind in SCALARS else (kind if '.' in kind else package + '.' + kind)


class Message:
    def __init__(self, package, line):
        words = split_words(line)
        self.package, self.name = package, words[1]
        self.attributes = dict((w.split('=', 1) + [''])[:2] for w in words[2:])
        self.fields = []
        self.full = package + '.' + self.name


class Package:
    def __init__(self, path):
        self.stem = os.path.basename(path)[:-len('.schema')]
        self.proto = self.group = self.version = self.go = ''
        self.has_version = False
        self.kinds, self.types, self.messages = [], {}, []
        for line in open(path, encoding='utf-8'):
            line = line.rstrip('\n')
            word = line.split(' ', 1)[0]
            if not line:
                continue
            if line.startswith('  '):
                if 'noproto' not in self.messages[-1].attributes:
                    self.messages[-1].fields.append(Field(self.stem, line.strip()))
            elif word == 'proto':
                self.proto = line.split()[1]
            elif word == 'go':
                self.go = line.split()[1].rsplit('/', 1)[-1]
            elif word == 'gv':
                self.group, self.version = line.split()[1:3]
                self.group = '' if self.group == '-' else self.group
                self.has_version = True
            elif word == 'kind':
                words = line.split()
                self.kinds.append((words[1], words[2], dict((w.split('=', 1) + [''])[:2] for w in words[3:])))
            elif word == 'type':
                words = split_words(line)
                attributes = dict((w.split('=', 1) + [''])[:2] for w in words[3:])
                self.types[words[1]] = ('closed' in attributes, json.loads(attributes.get('values', '[]')))
            elif word == 'message':
                self.messages.append(Message(self.stem, line))
        self.structs = self.stem in STRUCT_PACKAGES

    @property
    def header(self):
        return 'gen/' + self.stem.replace('.', '/') + '.h'

    @property
    def namespace(self):
        return 'api::' + self.stem.replace('.', '::')

    @property
    def ident(self):
        return self.stem.replace('.', '_')


def same_members(a, b):
    """Are the members of two messages the same but for the messages that they hold?"""
    if any(a.attributes.get(k) != b.attributes.get(k) for k in ('special', 'alias', 'noproto', 'typemeta')):
        return False
    if len(a.fields) != len(b.fields) or 'special' in a.attributes or 'noproto' in a.attributes:
        return False

    def signature(f):
        return f.number, f.name, f.card, f.presence, f.json, 'inline' in f.attributes, 'message' if f.message else f.type
    return [signature(f) for f in a.fields] == [signature(f) for f in b.fields]


def split_words(line):
    """Splits at spaces outside of JSON strings and brackets."""
    words, word, quoted, depth, escaped = [], '', False, 0, False
    for c in line:
        if c == ' ' and not quoted and depth == 0:
            if word:
                words.append(word)
            word = ''
            continue
        word += c
        if quoted:
            quoted = escaped or c != '"'
            escaped = c == '\\' and not escaped
        elif c == '"':
            quoted = True
        elif c in '[{' and '=' in word:
            depth += 1
        elif c in ']}' and depth:
            depth -= 1
    return words + [word] if word else words


class Generator:
    def __init__(self, schema, out):
        self.out = out
        self.packages = [Package(p) for p in sorted(glob.glob(schema + '/*.schema'))]
        self.by_stem = {p.stem: p for p in self.packages}
        self.messages = {m.full: m for p in self.packages for m in p.messages}
        self.shared = self.find_shared()
        self.unsure = self.find_unsure()
        self.resources = self.read_resources(schema + '/resources.txt')

    # ---- shared structs ----
    def find_shared(self):
        """Message -> the message whose struct it shares. What differs within is taken out until nothing changes."""
        shared = {}
        for package in self.packages:
            rank = STRUCT_PACKAGES.index(package.stem) if package.structs else len(STRUCT_PACKAGES)
            if not package.has_version:
                continue
            for message in package.messages:
                for stem in STRUCT_PACKAGES[:rank]:
                    other = self.messages.get(f'{stem}.{message.name}')
                    if other and self.by_stem[stem].group == package.group and stem != package.stem and same_members(message, other):
                        shared[message.full] = other.full
                        break
        while True:
            wrong = [full for full, other in shared.items()
                     if any(shared.get(x.message, x.message) != shared.get(y.message, y.message) for x, y in
                            zip(self.messages[full].fields, self.messages[other].fields))]
            if not wrong:
                return shared
            for full in wrong:
                del shared[full]

    # ---- names ----
    def has_struct(self, full):
        return full in HAND_WRITTEN or self.shared.get(full, full).rsplit('.', 1)[0] in STRUCT_PACKAGES

    def cpp_type(self, full):
        if full in HAND_WRITTEN:
            return 'object::' + HAND_WRITTEN[full]
        package, name = self.shared.get(full, full).rsplit('.', 1)
        return '::' + self.by_stem[package].namespace + '::' + name

    def member_type(self, field):
        base = SCALARS.get(field.type) or self.cpp_type(field.message)
        if field.card == 'kRepeated':
            return f'std::vector<{base}>'
        if field.card == 'kMap':
            return f'std::map<std::string, {base}>'
        if field.presence:
            return f'base::Box<{base}>' if field.message else f'std::optional<{base}>'
        return base

    def member_init(self, field):
        if field.card == 'kSingular' and not field.presence and field.type in ('bool', 'int32', 'int64', 'double'):
            return ' = false' if field.type == 'bool' else ' = 0'
        return ''

    # ---- structs ----
    def ordered(self, package):
        """Messages with those first that others hold by value."""
        done, order = set(), []

        def visit(message):
            if message.full in done:
                return
            done.add(message.full)
            for field in message.fields:
                inner = self.messages.get(field.message) if field.message else None
                if inner and inner.package == package.stem and (field.card != 'kSingular' or not field.presence):
                    if field.card == 'kSingular' or inner.full != message.full:
                        visit(inner)
            order.append(message)
        for message in package.messages:
            visit(message)
        return [m for m in order if m.full not in HAND_WRITTEN and 'noproto' not in m.attributes and m.full not in self.shared]

    def uses(self, package):
        """The packages whose structs the messages of this one are or hold."""
        named = {f.message for m in package.messages for f in m.fields if f.message and f.message not in HAND_WRITTEN}
        named |= {m.full for m in package.messages}
        return sorted({self.shared.get(full, full).rsplit('.', 1)[0] for full in named})

    def header(self, package):
        uses = [u for u in self.uses(package) if u in STRUCT_PACKAGES and u != package.stem]
        lines = [f'// Generated from api/schema/{package.stem}.schema. Plain data; thread: any.', '#pragma once', '',
                 '#include <cstdint>', '#include <map>', '#include <optional>', '#include <string>',
                 '#include <vector>', '', '#include "base/box.h"']
        lines += [f'#include "{self.by_stem[u].header}"' for u in uses]
        lines += ['#include "object/types.h"', '', f'namespace {package.namespace} {{', '']
        order = self.ordered(package)
        lines += [f'struct {m.name};' for m in order] + ['']
        lines += [f'using {m.name} = {self.cpp_type(m.full)};' for m in package.messages if m.full in self.shared] + ['']
        for message in order:
            name = message.name
            lines += [f'struct {name} {{', f'  {name}();', f'  {name}(const {name}&);', f'  {name}({name}&&) noexcept;',
                      f'  {name}& operator=(const {name}&);', f'  {name}& operator=({name}&&) noexcept;',
                      f'  ~{name}();', f'  bool operator==(const {name}& other) const;', '']
            lines += [f'  {self.member_type(f)} {snake(f.name)}{self.member_init(f)};' for f in message.fields]
            lines += ['};', '']
        lines += [f'}}  // namespace {package.namespace}', '']
        return '\n'.join(lines)

    def struct_functions(self, package):
        lines = [f'namespace {package.namespace} {{']
        for message in self.ordered(package):
            n = message.name
            members = [snake(f.name) for f in message.fields]
            equal = ' && '.join(f'{m} == other.{m}' for m in members) or 'true'
            unused = '' if members else '[[maybe_unused]] '
            lines += [f'{n}::{n}() = default;', f'{n}::{n}(const {n}&) = default;',
                      f'{n}::{n}({n}&&) noexcept = default;', f'{n}& {n}::operator=(const {n}&) = default;',
                      f'{n}& {n}::operator=({n}&&) noexcept = default;', f'{n}::~{n}() = default;',
                      f'bool {n}::operator==({unused}const {n}& other) const {{ return {equal}; }}']
        return lines + [f'}}  // namespace {package.namespace}']

    # ---- tables ----
    def table_ref(self, full):
        package, name = full.rsplit('.', 1)
        stem = self.by_stem[package]
        index = [m.name for m in stem.messages].index(name)
        return f'&gen::tables::k_{stem.ident}[{index}]'

    def go_type(self, field):
        """The Go type as upstream's decoding errors print it."""
        if 'go' in field.attributes:
            return field.attributes['go']
        base = {'double': 'float64', 'bytes': '[]uint8'}.get(field.type, field.type)
        full = field.message or field.attributes.get('enum')
        if full:
            package, name = full.rsplit('.', 1) if '.' in full else (field.package, full)
            base = f'{self.by_stem[package].go}.{name}'
        return {'kRepeated': '[]', 'kMap': 'map[string]', 'kSingular': ''}[field.card] + base

    def field_row(self, message, field):
        a = field.attributes
        named = 'nullptr'
        if 'enum' in a:
            package, name = (a['enum'].rsplit('.', 1) if '.' in a['enum'] else (message.package, a['enum']))
            if package in self.by_stem and name in self.by_stem[package].types and package == message.package:
                if self.by_stem[package].types[name][1]:
                    named = f'&kType_{name}'
        has_struct = self.has_struct(message.full)
        offset = f'offsetof({self.cpp_type(message.full)}, {snake(field.name)})' if has_struct else '0'
        vector_ops = map_ops = 'nullptr'
        if has_struct and field.message:
            if field.card == 'kRepeated':
                vector_ops = f'&schema::kVectorOps<{self.cpp_type(field.message)}>'
            elif field.card == 'kMap':
                map_ops = f'&schema::kMapOps<{self.cpp_type(field.message)}>'
        patch = '|'.join({'merge': 'schema::kPatchMerge', 'retainKeys': 'schema::kPatchRetainKeys',
                          'replace': 'schema::kPatchReplace'}[w] for w in a.get('patch', '').split(',') if w) or '0'
        keys = a.get('keys', '')
        keys_ref = f'std::span(kKeys_{keys.replace(",", "_")})' if keys else '{}'
        omit = {'': 'kNever', 'nil': 'kNil', 'len0': 'kLen0', 'zero': 'kZero', 'iszero': 'kIsZero'}[a.get('omit', '')]
        granular = {'': 'kUnset', 'atomic': 'kAtomic', 'granular': 'kGranular'}
        values = [str(field.number), f'schema::Type::{wire_kind(field)}', f'schema::Card::{field.card}',
                  str(field.presence).lower(), str('inline' in a).lower(), str('required' in a).lower(),
                  str('optional' in a).lower(), f'schema::JsonOmit::{omit}',
                  'schema::ListType::' + {'': 'kUnset', 'atomic': 'kAtomic', 'set': 'kSet', 'map': 'kMap'}[a.get('list', '')],
                  f'schema::Granularity::{granular[a.get("map", "")]}',
                  f'schema::Granularity::{granular[a.get("struct", "")]}', patch, text(field.name), text(field.json),
                  text(a.get('patchkey', '')), keys_ref, text(a.get('default', '')), named,
                  self.table_ref(field.message) if field.message else 'nullptr', offset, vector_ops, map_ops,
                  text(self.go_type(field))]
        return '    {' + ', '.join(values) + '},'

    def field_step(self, message, field, index):
        offset = f'offsetof({self.cpp_type(message.full)}, {snake(field.name)})' if self.has_struct(message.full) else '0'
        return field.number, (f'    {{{field.number}, {offset}, {index}, schema::Type::{wire_kind(field)}, schema::Card::{field.card}, '
                              f'{str(field.presence).lower()}, {str("inline" in field.attributes).lower()}}},')

    def find_unsure(self):
        """The full names of the messages for Message::unsure."""
        messages = self.messages.values()
        holders = {m.full for m in messages if m.attributes.get('special') in UNSURE_SPECIALS}
        while True:
            more = {m.full for m in messages if any(f.message in holders for f in m.fields)} - holders
            if not more:
                return holders
            holders |= more

    def tables(self, package):
        lines = ['namespace {']
        for name, (closed, values) in package.types.items():
            if values:
                listed = ', '.join(text(str(v)) for v in values)
                lines += [f'[[maybe_unused]] constexpr std::string_view kValues_{name}[] = {{{listed}}};',
                          f'[[maybe_unused]] constexpr schema::NamedType kType_{name} = '
                          f'{{"{name}", {str(closed).lower()}, kValues_{name}}};']
        for keys in sorted({f.attributes['keys'] for m in package.messages for f in m.fields if 'keys' in f.attributes}):
            listed = ', '.join(text(k) for k in keys.split(','))
            lines.append(f'constexpr std::string_view kKeys_{keys.replace(",", "_")}[] = {{{listed}}};')
        for message in package.messages:
            if message.fields:
                lines.append(f'constexpr schema::Field kFields_{message.name}[] = {{')
                lines += [self.field_row(message, f) for f in message.fields] + ['};']
                steps = [self.field_step(message, f, i) for i, f in enumerate(message.fields) if f.number]
                lines += [f'constexpr schema::FieldStep kOrder_{message.name}[] = {{']
                lines += [row for _, row in sorted(steps)] + ['};']
        lines += ['}  // namespace', f'namespace gen::tables {{',
                  f'constinit const schema::Message k_{package.ident}[] = {{']
        for m in package.messages:
            a = m.attributes
            proto = f'{package.proto}.{m.name}' if package.proto and 'noproto' not in a else ''
            granular = {'': 'kUnset', 'atomic': 'kAtomic', 'granular': 'kGranular'}[a.get('struct', '')]
            fields = f'kFields_{m.name}, kOrder_{m.name}' if m.fields else '{}, {}'
            shown = sum(1 << i for i, f in enumerate(m.fields)
                        if 'inline' in f.attributes or (f.json and not f.attributes.get('omit')))
            ops = f'&schema::kStructOps<{self.cpp_type(m.full)}>' if self.has_struct(m.full) and 'noproto' not in a else 'nullptr'
            special = SPECIALS[a['special']] if 'special' in a else 'kNone'
            lines.append(f'    {{"{package.stem}", "{m.name}", "{proto}", {fields}, {shown}ULL, '
                         f'{str(m.full in self.unsure).lower()}, schema::Special::{special}, '
                         f'{str("typemeta" in a).lower()}, {str("alias" in a).lower()}, '
                         f'schema::Granularity::{granular}, {ops}}},')
        lines += ['};', '}  // namespace gen::tables']
        return lines

    def source(self, packages):
        lines = ['// Generated from api/schema.', '#include <cstddef>', '#include <optional>', '#include <map>', '#include <vector>', '#include "gen/catalogue.h"',
                 '#include "object/types.h"', '#include "schema/struct_ops.h"', '#include "gen/tables_declared.h"']
        stems = sorted({u for p in packages for u in self.uses(p) if u in STRUCT_PACKAGES})
        lines += [f'#include "{self.by_stem[stem].header}"' for stem in stems]
        lines += ['#pragma GCC diagnostic ignored "-Winvalid-offsetof"']
        for package in packages:
            if package.structs:
                lines += self.struct_functions(package)
            if len(packages) > 1:
                lines.append(f'namespace of_{package.ident} {{')
                body = self.tables(package)
                cut = body.index('}  // namespace')
                lines += body[:cut + 1] + ['}', f'using namespace of_{package.ident};' if False else '']
                lines += [line.replace('kFields_', f'of_{package.ident}::kFields_').replace('kOrder_', f'of_{package.ident}::kOrder_')
                          for line in body[cut + 1:]]
            else:
                lines += self.tables(package)
            if package.structs:
                lines.append('namespace gen {')
                for m in self.ordered(package):
                    lines.append(f'template <> const schema::Message& message_of<{self.cpp_type(m.full)}>() '
                                 f'{{ return *{self.table_ref(m.full)}; }}')
                lines.append('}  // namespace gen')
        return '\n'.join(lines) + '\n'

    def declared(self):
        lines = ['// Generated: the message tables of every package.', '#pragma once', '#include "schema/tables.h"',
                 'namespace gen::tables {']
        lines += [f'extern const schema::Message k_{p.ident}[{len(p.messages)}];' for p in self.packages if p.messages]
        return '\n'.join(lines + ['}  // namespace gen::tables', ''])

    # ---- kinds and resources ----
    def read_resources(self, path):
        versions = []
        for line in open(path, encoding='utf-8'):
            words = split_words(line.strip())
            if not words or words[0] == '#' or line.startswith('#'):
                continue
            if words[0] == 'groupversion':
                group, version = words[1].split('/') if '/' in words[1] else ('', words[1])
                a = dict((w.split('=', 1) + [''])[:2] for w in words[2:])
                versions.append({'group': group, 'version': version, 'default': 'default' in a,
                                 'priority': ['0' if p == '-' else p for p in a['priority'].split(',')], 'resources': []})
            elif words[0] == 'column':
                a = dict((w.split('=', 1) + [''])[:2] for w in words[3:])
                versions[-1]['resources'][-1]['columns'].append(
                    (json.loads(words[1]), words[2], a.get('format', ''), a.get('priority', '0')))
            else:
                a = dict((w.split('=', 1) + [''])[:2] for w in words[3:])
                versions[-1]['resources'].append({'name': words[0], 'kind': words[1], 'scope': words[2], 'a': a, 'columns': []})
        return versions

    def catalogue(self):
        lines = ['// Generated: kinds, resources and look-ups.', '#include "gen/catalogue.h"', '#include "gen/tables_declared.h"',
                 '#include <algorithm>', '#include <array>', '#include <vector>', 'namespace gen {', 'namespace {', 'using namespace tables;']
        rows = []
        for p in self.packages:
            if not p.has_version:
                continue
            names = [m.name for m in p.messages]
            for kind, role, a in p.kinds:
                if kind not in names:
                    continue
                values = [text(p.group), text(p.version), text(kind), 'schema::KindRole::' + {'object': 'kObject', 'list': 'kList'}.get(role, 'kOther'),
                          text(a.get('list', '')), text(a.get('item', '')), self.table_ref(p.stem + '.' + kind),
                          text(a.get('introduced', '')), text(a.get('deprecated', '')), text(a.get('removed', '')), text(a.get('replacement', ''))]
                rows.append('    {' + ', '.join(values) + '},')
        lines += ['constexpr schema::Kind kKinds[] = {'] + rows + ['};']
        groups = []
        for gi, gv in enumerate(self.resources):
            entries = []
            for ri, r in enumerate(gv['resources']):
                a, tag = r['a'], f'{gi}_{ri}'

                def strings(what, values):
                    if not values:
                        return '{}'
                    lines.append(f'constexpr std::string_view k{what}_{tag}[] = {{{", ".join(text(v) for v in values)}}};')
                    return f'k{what}_{tag}'
                listed = lambda key: a[key].split(',') if a.get(key) else []
                verbs, short, categories = strings('Verbs', listed('verbs')), strings('Short', listed('short')), strings('Categories', listed('categories'))
                columns = '{}'
                if r['columns']:
                    lines.append(f'constexpr schema::Column kColumns_{tag}[] = {{' + ', '.join(
                        f'{{{text(n)}, "{t}", "{f}", {pr}}}' for n, t, f, pr in r['columns']) + '};')
                    columns = f'kColumns_{tag}'
                name, _, sub = r['name'].partition('/')
                rg, rv = ('', '')
                if a.get('response'):
                    rg, rv = a['response'].split('/') if '/' in a['response'] else ('', a['response'])
                sg = sv = sk = ''
                if a.get('stored'):
                    gv_text, sk = a['stored'].split(':')
                    sg, sv = gv_text.split('/') if '/' in gv_text else ('', gv_text)
                entries.append(f'    {{"{gv["group"]}", "{gv["version"]}", "{name}", "{sub}", "{r["kind"]}", "{rg}", "{rv}", '
                               f'{str(r["scope"] == "namespaced").lower()}, {verbs}, "{a.get("singular", "")}", {short}, {categories}, '
                               f'"{a.get("hash", "")}", "{a.get("prefix", "")}", "{sg}", "{sv}", "{sk}", {columns}}},')
            if entries:
                lines += [f'constexpr schema::Resource kResources_{gi}[] = {{'] + entries + ['};']
            groups.append(f'    {{"{gv["group"]}", "{gv["version"]}", {str(gv["default"]).lower()}, {gv["priority"][0]}, {gv["priority"][1]}, '
                          + (f'kResources_{gi}' if entries else '{}') + '},')
        lines += ['constexpr schema::GroupVersion kGroupVersions[] = {'] + groups + ['};']
        return '\n'.join(lines + self.message_list() + [LOOK_UPS]) + '\n'

    def message_list(self):
        total = sum(len(p.messages) for p in self.packages)
        lines = [f'constinit const schema::Message* const kMessages[{total}] = {{']
        lines += [f'    {self.table_ref(m.full)},' for p in self.packages for m in p.messages]
        return lines + ['};', '}  // namespace']

    # ---- files ----
    def files(self):
        with_structs = [p for p in self.packages if p.structs]
        others = [p for p in self.packages if not p.structs and p.messages]
        result = {}
        for p in with_structs:
            result[p.header] = lambda p=p: self.header(p)
            result[f'gen/{p.ident}.cc'] = lambda p=p: self.source([p])
        result['gen/other_versions.cc'] = lambda: self.source(others)
        result['gen/tables_declared.h'] = self.declared
        result['gen/catalogue.cc'] = self.catalogue
        return result

    def write(self):
        for name, make in self.files().items():
            path = os.path.join(self.out, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            content = make()
            if not os.path.exists(path) or open(path, encoding='utf-8').read() != content:
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(content)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--schema', required=True)
    parser.add_argument('--out', required=True)
    parser.add_argument('--list', action='store_true')
    options = parser.parse_args()
    generator = Generator(options.schema, options.out)
    if options.list:
        print('\n'.join(generator.files()))
    else:
        generator.write()
    return 0


if __name__ == '__main__':
    sys.exit(main())
