"""The language's test data in the form that the test program reads: a list of tests as JSON."""
import base64

import textproto

PRIMITIVES = {"BOOL": "bool", "INT64": "int", "UINT64": "uint", "DOUBLE": "double", "STRING": "string", "BYTES": "bytes"}
WELL_KNOWN = {"TIMESTAMP": "timestamp", "DURATION": "duration", "ANY": "dyn"}
TIMESTAMP, DURATION = "[type.googleapis.com/google.protobuf.Timestamp]", "[type.googleapis.com/google.protobuf.Duration]"


def one(message, field, default=None):
    return message[field][-1] if field in message else default


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def convert_type(message):
    """A type as the engine spells it."""
    kind, value = next(iter((k, v[-1]) for k, v in message.items()))
    if kind == "primitive":
        return PRIMITIVES[value]
    if kind == "wrapper":
        return f"wrapper({PRIMITIVES[value]})"
    if kind == "well_known":
        return WELL_KNOWN[value]
    if kind == "list_type":
        return f"list({convert_type(one(value, 'elem_type'))})"
    if kind == "map_type":
        return f"map({convert_type(one(value, 'key_type'))}, {convert_type(one(value, 'value_type'))})"
    if kind in ("message_type", "type_param"):
        return text(value)
    if kind == "abstract_type":
        params = ", ".join(convert_type(param) for param in value.get("parameter_types", []))
        return f"{text(one(value, 'name'))}({params})"
    if kind == "type":
        return f"type({convert_type(value)})" if value else "type"
    return {"dyn": "dyn", "null": "null", "error": "!error!"}[kind]


def convert_object(value):
    """A well-known message as a value; None for any other."""
    name, fields = next(iter(value.items()))
    fields = fields[-1]
    if name in (TIMESTAMP, DURATION):
        kind = "timestamp" if name == TIMESTAMP else "duration"
        return {kind: [int(one(fields, "seconds", "0")), int(one(fields, "nanos", "0"))]}
    return None


def convert_value(message):
    """{kind: value}; None when the value is a protocol message."""
    kind, value = next(iter((k, v[-1]) for k, v in message.items()))
    if kind == "list_value":
        items = [convert_value(item) for item in value.get("values", [])]
        return None if None in items else {"list": items}
    if kind == "map_value":
        pairs = [[convert_value(one(entry, "key")), convert_value(one(entry, "value"))] for entry in value.get("entries", [])]
        return None if any(None in pair for pair in pairs) else {"map": pairs}
    if kind == "object_value":
        return convert_object(value)
    if kind == "bytes_value":
        return {"bytes": base64.b64encode(value).decode()}
    if kind == "enum_value":
        return None
    return {kind.removesuffix("_value"): text(value)}


def convert_test(test, name):
    out = {"name": name, "expr": text(one(test, "expr")), "container": text(one(test, "container", b"")),
           "check": one(test, "disable_check") != "true", "check_only": one(test, "check_only") == "true", "unsupported": ""}
    out["variables"] = []
    for declaration in test.get("type_env", []):
        if "ident" not in declaration:
            out["unsupported"] = "declares a function"
            continue
        kind = convert_type(one(one(declaration, "ident"), "type"))
        out["variables"].append({"name": text(one(declaration, "name")), "type": kind})
    out["bindings"] = []
    for binding in test.get("bindings", []):
        value = convert_value(one(one(binding, "value"), "value"))
        if value is None:
            out["unsupported"] = "binds a protocol message"
        out["bindings"].append({"name": text(one(binding, "key")), "value": value})
    if "eval_error" in test or "any_eval_errors" in test:
        out["error"] = True
    elif "typed_result" in test:
        result = one(test, "typed_result")
        out["type"] = convert_type(one(result, "deduced_type"))
        if "result" in result:
            out["value"] = convert_value(one(result, "result"))
    elif "value" in test:
        out["value"] = convert_value(one(test, "value"))
    else:
        out["value"] = {"bool": "true"}
    if one(test, "disable_macros") == "true":
        out["unsupported"] = "turns macros off"
    if out.get("value", 0) is None:
        out["unsupported"] = "expects a protocol message or an enum"
    return out


def convert_file(path):
    """Every test of a file, named file/section/test (a number tells equal names apart)."""
    message = textproto.parse(path.read_text(encoding="utf-8"))
    tests, seen = [], {}
    for section in message.get("section", []):
        for test in section.get("test", []):
            name = "/".join([path.stem, text(one(section, "name")), text(one(test, "name"))])
            seen[name] = seen.get(name, 0) + 1
            tests.append(convert_test(test, name if seen[name] == 1 else f"{name}#{seen[name]}"))
    return tests
