"""Protobuf wire format without a schema: enough to compare messages as trees."""

MAGIC = b"k8s\0"
MAX_FIELD = 20000  # beyond it, bytes are taken for something else than a message


class NotAMessage(ValueError):
    pass


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise NotAMessage
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """[(number, wire type, int or bytes)] in wire order; NotAMessage when the bytes are not one."""
    found, at = [], 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number <= MAX_FIELD:
            raise NotAMessage
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 2, 5):
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            if at > len(data):
                raise NotAMessage
        else:
            raise NotAMessage
        found.append((number, kind, value))
    return found


def is_message(data):
    try:
        fields(data)
    except NotAMessage:
        return False
    return True


def printable(data):
    """The text, or None when it is not text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(c >= " " or c in "\n\r\t" for c in text) else None
