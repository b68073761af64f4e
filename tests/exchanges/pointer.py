"""JSON pointers (RFC 6901) on parsed JSON, with "*" for any key where several places are meant."""

ABSENT = object()


def parts(pointer):
    if pointer in ("", "/"):
        return []
    return [p.replace("~1", "/").replace("~0", "~") for p in pointer.lstrip("/").split("/")]


def step_into(node, key):
    if isinstance(node, dict):
        return node.get(key, ABSENT)
    if isinstance(node, list) and key.lstrip("-").isdigit() and -len(node) <= int(key) < len(node):
        return node[int(key)]
    return ABSENT


def get(document, pointer, default=None):
    for key in parts(pointer):
        document = step_into(document, key)
        if document is ABSENT:
            return default
    return document


def put(document, pointer, value):
    """The document with the value there; objects on the way are made; "-" appends to a list."""
    keys = parts(pointer)
    if not keys:
        return value
    node = document
    for key in keys[:-1]:
        node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
    if not isinstance(node, list):
        node[keys[-1]] = value
    elif keys[-1] == "-":
        node.append(value)
    else:
        node[int(keys[-1])] = value
    return document


def remove(document, pointer):
    keys = parts(pointer)
    node = get(document, "/" + "/".join(k.replace("~", "~0").replace("/", "~1") for k in keys[:-1]), None)
    if isinstance(node, list):
        del node[int(keys[-1])]
    elif isinstance(node, dict):
        node.pop(keys[-1], None)


def places(document, pointer):
    """Every (container, key) that the pointer names, last first, so that the caller may delete while it walks."""

    def walk(node, keys):
        key, rest = keys[0], keys[1:]
        if isinstance(node, dict):
            names = [k for k in node if key in ("*", k)]
        elif isinstance(node, list):
            names = [i for i in range(len(node)) if key in ("*", str(i))]
        else:
            return
        for name in reversed(names):
            if rest:
                yield from walk(node[name], rest)
            else:
                yield node, name

    keys = parts(pointer)
    return list(walk(document, keys)) if keys else []
