"use strict";
/**
 * The record of one process: lines of `<mac> <json>`, each authenticated together with the one before it. Everything
 * that is needed later is captured now, before any code of the project runs: from then on nothing here calls a method
 * that somebody could have replaced, and the key is held by closures only. For the same reason SHA-256 is written
 * out: node's own hands the key to objects whose prototypes anyone can change.
 */
const fs = require("node:fs");

const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const charCodeAt = uncurry(String.prototype.charCodeAt);
const { writeSync, openSync, readSync, closeSync } = fs;
const { stringify, parse } = JSON;
const Bytes = Uint8Array;
const Words = Uint32Array;
const text = String;
const floor = Math.floor;

const HEX = "0123456789abcdef";
const BLOCK = 64;

/** The first 32 bits of the fractional parts of roots of the first primes, as FIPS 180-4 has them. */
function fractions(root, count) {
  const found = new Words(count);
  let size = 0;
  for (let candidate = 2; size < count; candidate++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
      if (candidate % divisor === 0) isPrime = false;
    }
    if (!isPrime) continue;
    const value = candidate ** (1 / root);
    found[size++] = (value - floor(value)) * 2 ** 32;
  }
  return found;
}

const ROUNDS = fractions(3, 64);
const START = fractions(2, 8);

function compress(state, message, offset, schedule) {
  for (let i = 0; i < 16; i++) {
    const at = offset + i * 4;
    schedule[i] = (message[at] << 24) | (message[at + 1] << 16) | (message[at + 2] << 8) | message[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = schedule[i - 15];
    const y = schedule[i - 2];
    const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    schedule[i] = schedule[i - 16] + low + schedule[i - 7] + high;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + high + ((e & f) ^ (~e & g)) + ROUNDS[i] + schedule[i]) | 0;
    const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function sha256(message) {
  const length = message.length;
  const padded = new Bytes((floor((length + 8) / BLOCK) + 1) * BLOCK);
  for (let i = 0; i < length; i++) padded[i] = message[i];
  padded[length] = 0x80;
  const bits = length * 8;
  for (let i = 0; i < 6; i++) padded[padded.length - 1 - i] = floor(bits / 2 ** (8 * i)) & 255;
  const state = new Words(8);
  for (let i = 0; i < 8; i++) state[i] = START[i];
  const schedule = new Words(64);
  for (let offset = 0; offset < padded.length; offset += BLOCK) compress(state, padded, offset, schedule);
  const digest = new Bytes(32);
  for (let i = 0; i < 32; i++) digest[i] = state[i >> 2] >>> (24 - 8 * (i & 3));
  return digest;
}

function joined(first, second) {
  const both = new Bytes(first.length + second.length);
  for (let i = 0; i < first.length; i++) both[i] = first[i];
  for (let i = 0; i < second.length; i++) both[first.length + i] = second[i];
  return both;
}

/** HMAC-SHA256; the key has 32 bytes. */
function hmac(key, message) {
  const inner = new Bytes(BLOCK);
  const outer = new Bytes(BLOCK);
  for (let i = 0; i < BLOCK; i++) {
    const byte = i < key.length ? key[i] : 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  return sha256(joined(outer, sha256(joined(inner, message))));
}

function toHex(bytes) {
  let hex = "";
  for (let i = 0; i < bytes.length; i++) hex += HEX[bytes[i] >> 4] + HEX[bytes[i] & 15];
  return hex;
}

function fromHex(hex) {
  const bytes = new Bytes(hex.length / 2);
  const value = (code) => (code < 58 ? code - 48 : code - 87);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = value(charCodeAt(hex, i * 2)) * 16 + value(charCodeAt(hex, i * 2 + 1));
  }
  return bytes;
}

/** The text in UTF-8; JSON has no lone surrogates. */
function encode(value) {
  const length = value.length;
  const bytes = new Bytes(length * 3);
  let size = 0;
  for (let i = 0; i < length; i++) {
    let code = charCodeAt(value, i);
    if (code >= 0xd800 && code < 0xdc00) {
      i += 1;
      code = 0x10000 + ((code - 0xd800) << 10) + (charCodeAt(value, i) - 0xdc00);
      bytes[size++] = 0xf0 | (code >> 18);
      bytes[size++] = 0x80 | ((code >> 12) & 63);
    } else if (code >= 0x800) {
      bytes[size++] = 0xe0 | (code >> 12);
    }
    if (code >= 0x800) bytes[size++] = 0x80 | ((code >> 6) & 63);
    else if (code >= 0x80) bytes[size++] = 0xc0 | (code >> 6);
    bytes[size++] = code < 0x80 ? code : 0x80 | (code & 63);
  }
  const encoded = new Bytes(size);
  for (let i = 0; i < size; i++) encoded[i] = bytes[i];
  return encoded;
}

/** Reads a descriptor to its end and closes it. */
function readAll(descriptor) {
  let content = "";
  const chunk = Buffer.alloc(4096);
  for (;;) {
    let size = 0;
    try {
      size = readSync(descriptor, chunk, 0, chunk.length, null);
    } catch (error) {
      if (error.code === "EAGAIN") continue;
      throw error;
    }
    if (size === 0) break;
    content += chunk.toString("latin1", 0, size);
  }
  closeSync(descriptor);
  return content;
}

/** A field is a text, a number, a truth value or a list of texts; objects could bring a `toJSON` of their own. */
function encodeField(value) {
  if (typeof value === "string") return stringify(value);
  if (typeof value === "number" || typeof value === "boolean") return text(value);
  let list = "";
  for (let i = 0; i < value.length; i++) list += (i === 0 ? "" : ",") + stringify(`${value[i]}`);
  return `[${list}]`;
}

/**
 * Opens the record of this process.
 * @param grant - `{ id, key, exchange, role, ... }` as the harness or a process above wrote it
 */
function openChannel(grant) {
  const { id, exchange } = grant;
  const key = fromHex(grant.key);
  const lineKey = hmac(key, encode("record"));
  const descriptor = openSync(`${exchange}/record.${id}`, "ax", 0o600);
  let before = "";
  let count = 0;

  /** Adds a line: names and values by turns. Never throws: what cannot be written will be missed. */
  function write(type, fields) {
    try {
      let json = `{"n":${count},"type":${stringify(type)}`;
      for (let i = 0; i < fields.length; i += 2) {
        json += `,${stringify(fields[i])}:${encodeField(fields[i + 1])}`;
      }
      json += "}";
      const mac = toHex(hmac(lineKey, encode(before + json)));
      before = mac;
      count += 1;
      writeSync(descriptor, `${mac} ${json}\n`);
    } catch {
      count += 1;
    }
  }

  /** What a process below needs to have a record of its own; its own name is unique within this process. */
  function grantFor(childId, role, more) {
    const childKey = toHex(hmac(key, encode(`child:${childId}`)));
    return stringify({ ...more, id: childId, key: childKey, exchange, role });
  }

  return { write, grantFor };
}

module.exports = { openChannel, readAll, parse };
