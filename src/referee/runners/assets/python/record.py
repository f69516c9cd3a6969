"""The record of this process: lines of ``<mac> <json>``, each authenticated together with the one before it.

Everything that is needed later is captured now, before any code of the project runs. Nothing in Python keeps a secret
from code in the same process that looks for it; this only takes care that nothing leads there by accident.
"""
import hashlib
import json
import os

_sha256 = hashlib.sha256
_quote = json.encoder.encode_basestring_ascii
_write = os.write
_getpid = os.getpid
_str = str
_type = type
_enumerate = enumerate


def _hmac(key, message):
    key = key + bytes(64 - len(key))
    inner = bytes(each ^ 0x36 for each in key)
    outer = bytes(each ^ 0x5C for each in key)
    return _sha256(outer + _sha256(inner + message).digest())


def take_grant(descriptor):
    """Reads what the harness has granted, to its end, and closes it."""
    content = b""
    while True:
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        content += chunk
    os.close(descriptor)
    return json.loads(content.decode("utf-8"))


def open_record(grant):
    """Returns a function that adds a line; it never raises: what cannot be written will be missed."""
    line_key = _hmac(bytes.fromhex(grant.pop("key")), b"record").digest()
    path = "%s/record.%s" % (grant["exchange"], grant["id"])
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    owner = os.getpid()
    before = ""
    count = 0

    def encode(value):
        kind = _type(value)
        if kind is bool:
            return "true" if value else "false"
        if kind is int:
            return "%d" % value
        if kind is list:
            return "[" + ",".join([encode(each) for each in value]) + "]"
        return _quote(_str(value))

    def write(kind, **fields):
        nonlocal before, count
        # A child that a test has forked has this function too, but nothing to say.
        if _getpid() != owner:
            return
        text = '{"n":%d,"type":%s' % (count, _quote(kind))
        for name in fields:
            text += ",%s:%s" % (_quote(name), encode(fields[name]))
        text += "}"
        before = _hmac(line_key, (before + text).encode("ascii")).hexdigest()
        count += 1
        try:
            _write(descriptor, ("%s %s\n" % (before, text)).encode("ascii"))
        except OSError:
            pass

    return write
