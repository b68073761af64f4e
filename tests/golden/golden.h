// The golden objects: upstream's fixtures and generated ones, as the tests want them.
#pragma once

#include <string>
#include <vector>

#include "schema/tables.h"

namespace golden {

struct Sample {
  std::string name;                // for messages of failing tests
  const schema::Message* message;  // null: not in our schema
  std::string api_version;         // "" for a message that is no kind
  std::string kind;
  std::string json;          // the object as JSON, compact, with no newline
  std::string pretty_json;   // the file as it is; "" when there is none
  std::string pb;            // the message, without an envelope
  std::string json_from_pb;  // what upstream makes of `pb`
  std::string pb_from_json;  // what upstream makes of `json`
  std::string envelope;      // the file as it is: the envelope around `pb`; "" when there is none
};

std::string read_file(const std::string& path);
std::string path_of(const std::string& relative);

// All pairs of files X.json, X.pb.
std::vector<Sample> file_samples();
// All lines of random.jsonl.
std::vector<Sample> generated_samples();

}  // namespace golden
